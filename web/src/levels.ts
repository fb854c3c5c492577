// How loud the microphone and the agent are, measured in the browser.

/** What a meter shows for silence, dBFS. */
export const SILENCE_DB = -100;
/** Time between two measurements, milliseconds: 15 a second look alive and cost little. */
export const METER_MS = 66;
/** Samples a measurement looks at: 43 ms at 48 kHz, so that consecutive ones leave no long gap. */
const WINDOW_SAMPLES = 2_048;

/** Root mean square of samples between -1 and 1, in dBFS, not below `SILENCE_DB`. */
export function rmsDb(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(samples.length, 1));
  return rms === 0 ? SILENCE_DB : Math.max(SILENCE_DB, 20 * Math.log10(rms));
}

/** Where a level stands on a meter, 0 to 1: -60 dBFS and below is empty, -6 dBFS is full. */
export function meterFill(db: number): number {
  return Math.min(1, Math.max(0, (db + 60) / 54));
}

/** Measures one stream at a time. */
export class LevelMeter {
  readonly #context: AudioContext;
  readonly #analyser: AnalyserNode;
  readonly #samples = new Float32Array(WINDOW_SAMPLES);
  #source: MediaStreamAudioSourceNode | null = null;

  constructor(context: AudioContext) {
    this.#context = context;
    this.#analyser = new AnalyserNode(context, { fftSize: WINDOW_SAMPLES });
  }

  /** Measures this stream from now on; `null` for none. */
  attach(stream: MediaStream | null): void {
    this.#source?.disconnect();
    this.#source = null;
    if (stream === null || stream.getAudioTracks().length === 0) return;
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  /** The level now, dBFS. */
  levelDb(): number {
    if (this.#source === null) return SILENCE_DB;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return rmsDb(this.#samples);
  }
}
