import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "./api";
import { type CallState, NO_CALL, type Session } from "./call";
import type { Peer, PeerHandlers } from "./peer";
import { Caller, GOODBYE_MS } from "./session";
import type { ClientMessage, EventEnvelope, SessionCreated } from "./wire";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("a call connects, sends, hears events and hangs up politely", async () => {
  const world = new World();
  await world.connect();
  expect(world.caller.send({ type: "user_text", text: "hi" })).toBe(true);
  world.handlers().event(meter(1, 4));
  expect(world.events).toHaveLength(1);
  world.caller.hangUp();
  expect(world.state.phase).toMatchObject({ kind: "ended", cause: "user_hung_up" });
  expect(world.sent.map(({ type }) => type)).toEqual(["user_text", "hang_up"]);
  expect(world.peers[0]?.closed).toBe(false);
  // The server's last event still counts.
  world.handlers().event(meter(2, 5));
  expect(world.events).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(GOODBYE_MS);
  expect(world.peers[0]?.closed).toBe(true);
  expect(world.deleted).toEqual(["sess_1"]);
});

test("after the server's last word nothing is waited for and nothing deleted", async () => {
  const world = new World();
  await world.connect();
  world.caller.hangUp();
  world.handlers().event({ seq: 9, at_ms: 9, type: "session_ended", reason: "user_hung_up", seconds: 7 });
  expect(world.peers[0]?.closed).toBe(true);
  await vi.advanceTimersByTimeAsync(GOODBYE_MS);
  expect(world.deleted).toEqual([]);
});

test("a lost connection is taken up again without a word from the person", async () => {
  const world = new World();
  await world.connect();
  world.handlers().lost();
  expect(world.state.phase.kind).toBe("reconnecting");
  expect(world.peers).toHaveLength(2);
  world.handlers().offerFailed(false, "unreachable");
  await vi.advanceTimersByTimeAsync(499);
  expect(world.peers).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(world.peers).toHaveLength(3);
  // A goodbye on an old line could still arrive, and end the session.
  expect(world.peers.map(({ closed }) => closed)).toEqual([false, false, false]);
  world.handlers().up();
  expect(world.state.phase.kind).toBe("connected");
  expect(world.created).toBe(1);
  expect(world.peers.map(({ closed }) => closed)).toEqual([true, true, false]);
});

test("after 30 s without a connection the call is over", async () => {
  const world = new World();
  await world.connect();
  world.offersFail = true;
  world.handlers().lost();
  await vi.advanceTimersByTimeAsync(29_999);
  expect(world.state.phase.kind).toBe("reconnecting");
  await vi.advanceTimersByTimeAsync(1);
  expect(world.state.phase).toMatchObject({ kind: "ended", cause: "connection_lost" });
  const attempts = world.peers.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(world.peers).toHaveLength(attempts);
  expect(world.peers.every(({ closed }) => closed)).toBe(true);
});

test("a session that is created after the person hung up is deleted", async () => {
  const world = new World();
  let answer: (created: SessionCreated) => void = () => undefined;
  world.create = () => new Promise((resolve) => (answer = resolve));
  world.caller.call("cal");
  await vi.advanceTimersByTimeAsync(0);
  world.caller.hangUp();
  answer(created("sess_late"));
  await vi.advanceTimersByTimeAsync(0);
  expect(world.deleted).toEqual(["sess_late"]);
  expect(world.peers).toHaveLength(0);
});

test("what the server says on refusing is shown", async () => {
  const world = new World();
  world.create = () => Promise.reject(new ApiError("The server is full.", 503));
  world.caller.call("cal");
  await vi.advanceTimersByTimeAsync(0);
  expect(world.state.phase).toEqual({ kind: "ended", cause: "refused", detail: "The server is full." });
});

test("the last words of one call do not reach the next", async () => {
  const world = new World();
  await world.connect();
  const old = world.handlers();
  world.caller.hangUp();
  await world.connect();
  old.event({ seq: 9, at_ms: 9, type: "session_ended", reason: "user_hung_up", seconds: 1 });
  expect(world.events).toHaveLength(0);
  expect(world.state.phase.kind).toBe("connected");
});

test("being replaced ends the call here and leaves the session to the other", async () => {
  const world = new World();
  await world.connect();
  world.handlers().event({ seq: 1, at_ms: 1, type: "notice", code: "replaced", message: "elsewhere" });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(world.state.phase).toMatchObject({ cause: "replaced" });
  expect(world.peers).toHaveLength(1);
  expect(world.deleted).toEqual([]);
});

test("closing the page deletes the session without waiting", async () => {
  const world = new World();
  await world.connect();
  world.caller.abandon();
  expect(world.deleted).toEqual(["sess_1"]);
  expect(world.peers[0]?.closed).toBe(true);
});

test("a browser without WebRTC says so", async () => {
  const world = new World();
  world.noWebRtc = true;
  world.caller.call("cal");
  await vi.advanceTimersByTimeAsync(0);
  expect(world.state.phase).toMatchObject({ kind: "ended", cause: "refused", detail: /WebRTC/ as unknown });
});

class World {
  state: CallState = NO_CALL;
  readonly events: EventEnvelope[] = [];
  readonly sent: ClientMessage[] = [];
  readonly deleted: string[] = [];
  readonly peers: { handlers: PeerHandlers; closed: boolean }[] = [];
  created = 0;
  offersFail = false;
  noWebRtc = false;
  create = (): Promise<SessionCreated> => {
    this.created += 1;
    return Promise.resolve(created(`sess_${this.created}`));
  };
  readonly caller = new Caller(
    {
      nowMs: () => Date.now(),
      openMicrophone: () => Promise.resolve(),
      track: () => null,
      createSession: () => this.create(),
      deleteSession: (id) => void this.deleted.push(id),
      openPeer: (_session: Session, _track, handlers) => this.#open(handlers),
    },
    {
      changed: (state) => {
        this.state = state;
      },
      event: (event) => void this.events.push(event),
      audio: () => undefined,
    },
  );

  async connect(): Promise<void> {
    this.caller.call("cal");
    await vi.advanceTimersByTimeAsync(0);
    this.handlers().up();
  }

  handlers(): PeerHandlers {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error("no connection was opened");
    return peer.handlers;
  }

  #open(handlers: PeerHandlers): Peer {
    if (this.noWebRtc) throw new TypeError("RTCPeerConnection is not a constructor");
    const peer = { handlers, closed: false };
    this.peers.push(peer);
    if (this.offersFail) queueMicrotask(() => !peer.closed && handlers.offerFailed(false, "unreachable"));
    return {
      send: (message) => this.sent.push(message) > 0,
      setTrack: () => undefined,
      retire: () => undefined,
      close: () => {
        peer.closed = true;
      },
    };
  }
}

function created(id: string): SessionCreated {
  return {
    id,
    token: "t",
    expires_in_s: 60,
    agent: "cal",
    webrtc_url: "/w",
    events_url: "/e",
    ice_servers: [],
    udp: [],
    reconnect_within_s: 30,
  };
}

function meter(seq: number, seconds: number): EventEnvelope {
  return { seq, at_ms: seq, type: "meter", seconds };
}
