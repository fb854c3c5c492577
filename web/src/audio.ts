// The page's audio: the agent's voice through an <audio> element, levels through Web Audio.

import { LevelMeter, METER_MS, SILENCE_DB } from "./levels";

/** Levels of one moment, dBFS. */
export interface Levels {
  inputDb: number;
  outputDb: number;
}

/** Plays the agent and measures both sides. */
export class CallAudio {
  readonly #element: HTMLAudioElement;
  readonly #onLocked: (locked: boolean) => void;
  #context: AudioContext | null = null;
  #input: LevelMeter | null = null;
  #output: LevelMeter | null = null;

  /** `onLocked` hears whether the browser refuses to play before the person presses something. */
  constructor(element: HTMLAudioElement, onLocked: (locked: boolean) => void) {
    this.#element = element;
    this.#onLocked = onLocked;
  }

  /** To be called while the person presses a button: browsers allow sound from then on. */
  unlock(): void {
    this.#context ??= this.#open();
    void this.#context?.resume().catch(() => undefined);
    if (this.#element.srcObject !== null) this.#play();
  }

  /** Measures the microphone; `null` for none. */
  setInput(stream: MediaStream | null): void {
    this.#input?.attach(stream);
  }

  /** Plays and measures the agent's audio; `null` for none. */
  setOutput(stream: MediaStream | null): void {
    // Chromium feeds a remote stream to Web Audio only while a media element plays it too.
    this.#element.srcObject = stream;
    this.#output?.attach(stream);
    if (stream !== null) this.#play();
  }

  /** Volume of the agent, 0 to 1. */
  setVolume(volume: number): void {
    this.#element.volume = volume;
  }

  /** Calls `listener` with the levels, about 15 times a second, for as long as the page lives. */
  watch(listener: (levels: Levels) => void): void {
    setInterval(() => {
      listener({
        inputDb: this.#input?.levelDb() ?? SILENCE_DB,
        outputDb: this.#output?.levelDb() ?? SILENCE_DB,
      });
    }, METER_MS);
  }

  #open(): AudioContext | null {
    if (typeof AudioContext === "undefined") return null;
    const context = new AudioContext({ latencyHint: "interactive" });
    this.#input = new LevelMeter(context);
    this.#output = new LevelMeter(context);
    return context;
  }

  #play(): void {
    this.#element.play().then(
      () => this.#onLocked(false),
      (error: unknown) => this.#onLocked(error instanceof Error && error.name === "NotAllowedError"),
    );
  }
}
