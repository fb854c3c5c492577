// Drives the connection state machine of `call.ts`: the one place that knows the clock, the
// network and the microphone of a call.

import { ApiError } from "./api";
import { type CallEffect, type CallInput, type CallState, NO_CALL, type Session, step, wakeAtMs } from "./call";
import type { Peer, PeerHandlers } from "./peer";
import type { AgentId, ClientMessage, EventEnvelope, SessionCreated } from "./wire";

/** How long the server's last word is waited for after a hang-up, milliseconds. */
export const GOODBYE_MS = 800;

/** What a call needs of the world; tests bring their own. */
export interface CallIo {
  nowMs(): number;
  /** Resolves when there is a microphone or certainly none. */
  openMicrophone(): Promise<void>;
  /** The microphone's track, or `null`. */
  track(): MediaStreamTrack | null;
  createSession(agent: AgentId): Promise<SessionCreated>;
  deleteSession(id: string, token: string): void;
  openPeer(session: Session, track: MediaStreamTrack | null, handlers: PeerHandlers): Peer;
}

/** What a call tells the page. */
export interface CallListener {
  changed(state: CallState): void;
  event(event: EventEnvelope): void;
  audio(stream: MediaStream | null): void;
}

/** One call after another, to whichever agent. */
export class Caller {
  readonly #io: CallIo;
  readonly #listener: CallListener;
  #state: CallState = NO_CALL;
  #agent: AgentId = "";
  #peer: Peer | null = null;
  // Connections given up for a newer one; at most one for each attempt within the reconnect window.
  #retired: Peer[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  // What is left to do once the server has said its last word, or has not in time.
  #farewell: ((session: "over" | "unknown") => void) | null = null;
  // A session that is still being created when the person hangs up belongs to an older call.
  #callNumber = 0;

  constructor(io: CallIo, listener: CallListener) {
    this.#io = io;
    this.#listener = listener;
  }

  /** Calls an agent. */
  call(agent: AgentId): void {
    this.#agent = agent;
    this.#callNumber += 1;
    this.#farewell = null;
    this.#take({ kind: "call" });
  }

  /** Ends the call. */
  hangUp(): void {
    this.#take({ kind: "hang_up" });
  }

  /** Ends the call while the page is being closed: nothing can be waited for. */
  abandon(): void {
    this.#take({ kind: "hang_up" });
    this.#farewell?.("unknown");
  }

  /** The browser has a network again. */
  networkBack(): void {
    this.#take({ kind: "network_back" });
  }

  /** Another microphone, or none. */
  setTrack(track: MediaStreamTrack | null): void {
    this.#peer?.setTrack(track);
  }

  /** Sends a message to the agent; false where there is no connection. */
  send(message: ClientMessage): boolean {
    return this.#state.phase.kind === "connected" && (this.#peer?.send(message) ?? false);
  }

  #take(input: CallInput): void {
    const before = this.#state;
    const [state, effects] = step(before, input, this.#io.nowMs());
    this.#state = state;
    // Told before the effects, whose own results change the state again.
    if (state !== before) this.#listener.changed(state);
    for (const effect of effects) this.#run(effect);
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const atMs = wakeAtMs(this.#state);
    if (atMs === null) return;
    const delayMs = Math.max(0, atMs - this.#io.nowMs());
    this.#timer = setTimeout(() => this.#take({ kind: "wake" }), delayMs);
  }

  #run(effect: CallEffect): void {
    switch (effect.kind) {
      case "open_microphone":
        void this.#openMicrophone();
        return;
      case "create_session":
        void this.#createSession();
        return;
      case "connect":
        this.#connect(effect.connection);
        return;
      case "retire":
        this.#retirePeer();
        return;
      case "close":
        this.#closePeer();
        return;
      case "goodbye":
        this.#goodbye();
        return;
    }
  }

  async #openMicrophone(): Promise<void> {
    const callNumber = this.#callNumber;
    await this.#io.openMicrophone();
    if (callNumber === this.#callNumber) this.#take({ kind: "microphone_ready" });
  }

  async #createSession(): Promise<void> {
    const callNumber = this.#callNumber;
    try {
      const created = await this.#io.createSession(this.#agent);
      const live = callNumber === this.#callNumber && this.#state.phase.kind === "connecting";
      if (live) this.#take({ kind: "session_created", session: sessionOf(created) });
      else this.#io.deleteSession(created.id, created.token);
    } catch (error) {
      if (callNumber !== this.#callNumber) return;
      const detail = error instanceof ApiError ? error.message : "The server's answer made no sense.";
      this.#take({ kind: "session_refused", detail });
    }
  }

  #connect(connection: number): void {
    this.#retirePeer();
    const { session } = this.#state;
    if (session === null) return;
    try {
      this.#peer = this.#io.openPeer(session, this.#io.track(), this.#handlers(connection));
    } catch {
      const detail = "This browser cannot make calls: it has no WebRTC, or it is switched off.";
      this.#take({ kind: "offer_failed", connection, fatal: true, detail });
    }
  }

  #handlers(connection: number): PeerHandlers {
    const callNumber = this.#callNumber;
    return {
      up: () => {
        this.#take({ kind: "peer_up", connection });
        this.#closeRetired();
      },
      unsteady: () => this.#take({ kind: "peer_unsteady", connection }),
      lost: () => this.#take({ kind: "peer_lost", connection }),
      offerFailed: (fatal, detail) => this.#take({ kind: "offer_failed", connection, fatal, detail }),
      // A call that was hung up still waits for its last event; by then the next one may be on.
      event: (event) => callNumber === this.#callNumber && this.#event(event),
      audio: (stream) => this.#listener.audio(stream),
    };
  }

  #event(event: EventEnvelope): void {
    this.#listener.event(event);
    if (event.type === "notice" && event.code === "replaced") this.#take({ kind: "replaced" });
    if (event.type !== "session_ended") return;
    this.#farewell?.("over");
    this.#take({ kind: "session_ended", reason: event.reason });
  }

  // A goodbye on the old line may still arrive and would end the session that the new one is for.
  #retirePeer(): void {
    if (this.#peer === null) return;
    this.#peer.retire();
    this.#retired.push(this.#peer);
    this.#peer = null;
    this.#listener.audio(null);
  }

  #closeRetired(): void {
    for (const peer of this.#retired) peer.close();
    this.#retired = [];
  }

  #closePeer(): void {
    this.#closeRetired();
    this.#peer?.close();
    this.#peer = null;
    this.#listener.audio(null);
  }

  // The server's own last event has the exact seconds, so it gets a moment to arrive. Where it does
  // not, the session is deleted: our word may have been lost with the line.
  #goodbye(): void {
    const { session } = this.#state;
    const peer = this.#peer;
    this.#peer = null;
    this.#listener.audio(null);
    const said = peer?.send({ type: "hang_up" }) ?? false;
    this.#closeRetired();
    let done = false;
    const finish = (how: "over" | "unknown"): void => {
      if (done) return;
      done = true;
      peer?.close();
      if (how === "unknown" && session !== null) this.#io.deleteSession(session.id, session.token);
    };
    this.#farewell = finish;
    if (said) setTimeout(() => finish("unknown"), GOODBYE_MS);
    else finish("unknown");
  }
}

function sessionOf(created: SessionCreated): Session {
  return {
    id: created.id,
    token: created.token,
    webrtcUrl: created.webrtc_url,
    reconnectWithinMs: created.reconnect_within_s * 1_000,
  };
}
