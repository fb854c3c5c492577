// The page's one state, and everything that changes it. The screens in `ui/` only show it.

import { createSession, deleteSession, listAgents } from "./api";
import type { CallAudio } from "./audio";
import { type CallState, isLive, NO_CALL } from "./call";
import {
  closeMicrophone,
  listMicrophones,
  type Microphone,
  type MicrophoneChoice,
  type MicrophoneState,
  openMicrophone,
} from "./microphone";
import { openPeer } from "./peer";
import { recall, recallVolume, remember } from "./prefs";
import { Caller } from "./session";
import { type CallView, EMPTY_VIEW, reduce } from "./state";
import type { AgentId, AgentView, EventEnvelope } from "./wire";

/** Everything that is shown. */
export interface AppState {
  agents: AgentView[] | null;
  /** Why there are no agents to show. */
  agentsTrouble: string | null;
  selected: AgentId | null;
  call: CallState;
  view: CallView;
  /** True from the press of Call until the person goes back to the agents. */
  inCall: boolean;
  startedAt: Date | null;
  microphone: MicrophoneState;
  microphones: MicrophoneChoice[];
  microphoneId: string | null;
  muted: boolean;
  /** Volume of the agent, 0 to 1. */
  volume: number;
  /** True where the browser refuses to play until something is pressed. */
  audioLocked: boolean;
}

/** Delay between two tries to load the agents, milliseconds. */
const AGENTS_RETRY_MS = 3_000;

/** The page's behaviour. */
export class App {
  readonly #audio: CallAudio;
  readonly #caller: Caller;
  readonly #listeners: ((state: AppState) => void)[] = [];
  #state: AppState = initialState();
  #microphone: Microphone | null = null;
  #skip: () => void = () => undefined;

  constructor(audio: CallAudio) {
    this.#audio = audio;
    this.#audio.setVolume(this.#state.volume);
    this.#caller = new Caller(
      {
        nowMs: () => performance.now(),
        openMicrophone: () => this.#askMicrophone(),
        track: () => this.#microphone?.track ?? null,
        createSession,
        deleteSession,
        openPeer,
      },
      {
        changed: (call) => this.#callChanged(call),
        event: (event) => this.#event(event),
        audio: (stream) => this.#audio.setOutput(stream),
      },
    );
  }

  /** The state now. */
  get state(): AppState {
    return this.#state;
  }

  /** Calls `listener` now and after every change. */
  subscribe(listener: (state: AppState) => void): void {
    this.#listeners.push(listener);
    listener(this.#state);
  }

  /** Loads the agents; keeps trying while the server cannot be reached. */
  async loadAgents(): Promise<void> {
    try {
      const agents = await listAgents();
      const wanted = new URLSearchParams(location.search).get("agent") ?? recall("agent");
      const selected = agents.find(({ id }) => id === wanted) ?? agents[0];
      this.#set({ agents, agentsTrouble: null, selected: selected?.id ?? null });
    } catch (error) {
      this.#set({ agentsTrouble: error instanceof Error ? error.message : "The agents did not load." });
      setTimeout(() => void this.loadAgents(), AGENTS_RETRY_MS);
    }
  }

  /** Chooses the agent to call. */
  select(agent: AgentId): void {
    remember("agent", agent);
    this.#set({ selected: agent });
  }

  /** Calls the chosen agent. Must run while the person presses something, for the sound's sake. */
  call(): void {
    const { selected } = this.#state;
    if (selected === null || isLive(this.#state.call)) return;
    this.#audio.unlock();
    this.#set({ view: EMPTY_VIEW, inCall: true, muted: false, startedAt: new Date(), audioLocked: false });
    this.#caller.call(selected);
  }

  /** Ends the call. */
  hangUp(): void {
    this.#caller.hangUp();
  }

  /** Ends the call because the page goes away. */
  abandon(): void {
    if (isLive(this.#state.call)) this.#caller.abandon();
  }

  /** Leaves the summary of the last call. */
  backToAgents(): void {
    if (!isLive(this.#state.call)) this.#set({ inCall: false, view: EMPTY_VIEW, call: NO_CALL });
  }

  /** The browser has a network again. */
  networkBack(): void {
    this.#caller.networkBack();
  }

  /** Mutes or unmutes the microphone, here and at the server. */
  toggleMute(): void {
    if (this.#microphone === null) return;
    const muted = !this.#state.muted;
    this.#microphone.track.enabled = !muted;
    this.#caller.send({ type: "mute", muted });
    this.#set({ muted });
  }

  /** Types a turn; false where it could not be sent. */
  type(text: string): boolean {
    const words = text.trim();
    return words !== "" && this.#caller.send({ type: "user_text", text: words });
  }

  /** Stops the agent's speech. */
  interrupt(): void {
    this.#caller.send({ type: "interrupt" });
  }

  /** Volume of the agent, 0 to 1. */
  setVolume(volume: number): void {
    this.#audio.setVolume(volume);
    remember("volume", String(volume));
    this.#set({ volume });
  }

  /** Starts the sound after the browser had refused it. */
  unlockAudio(): void {
    this.#audio.unlock();
  }

  /** The browser allowed or refused sound. */
  audioLocked(locked: boolean): void {
    if (locked !== this.#state.audioLocked) this.#set({ audioLocked: locked });
  }

  /** Goes on without a microphone while the browser still asks for it. */
  skipMicrophone(): void {
    this.#skip();
  }

  /** Uses another microphone, now and in later calls; also a new try after a refusal. */
  async chooseMicrophone(id: string | null): Promise<void> {
    this.#set({ microphoneId: id });
    if (!isLive(this.#state.call)) return;
    this.#dropMicrophone();
    await this.#askMicrophone();
    this.#caller.setTrack(this.#microphone?.track ?? null);
  }

  async #askMicrophone(): Promise<void> {
    const skipped = new Promise<null>((resolve) => {
      this.#skip = () => resolve(null);
    });
    this.#set({ microphone: "asking" });
    const asked = openMicrophone(this.#state.microphoneId);
    const result = await Promise.race([asked, skipped]);
    if (result === null) {
      void asked.then((late) => closeMicrophone("microphone" in late ? late.microphone : null));
      this.#set({ microphone: "skipped" });
    } else if ("trouble" in result) {
      this.#set({ microphone: result.trouble });
    } else {
      this.#useMicrophone(result.microphone);
    }
  }

  #useMicrophone(microphone: Microphone): void {
    if (!isLive(this.#state.call)) {
      // The person hung up while the browser still asked.
      closeMicrophone(microphone);
      return;
    }
    this.#microphone = microphone;
    microphone.track.enabled = !this.#state.muted;
    microphone.track.onended = () => {
      this.#dropMicrophone();
      this.#set({ microphone: "unplugged" });
    };
    this.#audio.setInput(microphone.stream);
    this.#set({ microphone: "on" });
    void listMicrophones().then((microphones) => this.#set({ microphones }));
  }

  #dropMicrophone(): void {
    closeMicrophone(this.#microphone);
    this.#microphone = null;
    this.#audio.setInput(null);
  }

  #callChanged(call: CallState): void {
    const over = call.phase.kind === "ended";
    const cameBack = call.phase.kind === "connected" && this.#state.call.phase.kind === "reconnecting";
    // The server forgets the mute with the connection.
    if (cameBack && this.#state.muted) this.#caller.send({ type: "mute", muted: true });
    if (over) {
      this.#dropMicrophone();
      this.#skip();
    }
    this.#set({ call, ...(over ? { microphone: "off" as const, audioLocked: false } : {}) });
  }

  #event(event: EventEnvelope): void {
    this.#set({ view: reduce(this.#state.view, event) });
  }

  #set(change: Partial<AppState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener(this.#state);
  }
}

function initialState(): AppState {
  return {
    agents: null,
    agentsTrouble: null,
    selected: null,
    call: NO_CALL,
    view: EMPTY_VIEW,
    inCall: false,
    startedAt: null,
    microphone: "off",
    microphones: [],
    microphoneId: null,
    muted: false,
    volume: recallVolume(),
    audioLocked: false,
  };
}
