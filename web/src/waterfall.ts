// Where the time of a turn went, as bars: pure geometry, drawn by `ui/waterfall_chart.ts`.

import { latency } from "./format";
import type { TurnTimeline } from "./wire";

/** The stages of a turn in the order in which they end. */
export type StageKey =
  | "transcript_final"
  | "endpointing"
  | "first_token"
  | "first_audio_made"
  | "first_audio_sent";

/** One bar. Times are milliseconds since the end of the person's speech. */
export interface Stage {
  key: StageKey;
  label: string;
  startMs: number;
  endMs: number;
  /** One sentence with the numbers. */
  sentence: string;
}

/** The bars of one turn. */
export interface Waterfall {
  turn: number;
  /** Stages that the turn had, in the order in which they ended. */
  stages: Stage[];
  /** From the end of speech to the last stage known. */
  totalMs: number;
  /** Why endpointing waited as long as it did. */
  reason: string | null;
  /** Who answered, and why that one; `null` where the server did not say. */
  answeredBy: string | null;
}

const LABELS: Record<StageKey, string> = {
  transcript_final: "Transcript final",
  endpointing: "Endpointing",
  first_token: "First token",
  first_audio_made: "First audio made",
  first_audio_sent: "First audio sent",
};

/** The bars of a turn. Recognizing and endpointing both begin when the speech ends; each later
 * stage begins when the one before it ended. A stage that the turn did not have has no bar. */
export function waterfall(timeline: TurnTimeline): Waterfall {
  const transcript = bar("transcript_final", 0, timeline.transcript_final_ms);
  const endpointing = bar("endpointing", 0, timeline.endpointing_ms);
  const together = [transcript, endpointing].filter((each) => each !== null);
  let previousMs = Math.max(0, ...together.map(({ endMs }) => endMs));
  const stages = together.toSorted((a, b) => a.endMs - b.endMs);
  const later: [StageKey, number | null | undefined][] = [
    ["first_token", timeline.first_token_ms],
    ["first_audio_made", timeline.first_audio_made_ms],
    ["first_audio_sent", timeline.first_audio_sent_ms],
  ];
  for (const [key, endMs] of later) {
    const stage = bar(key, previousMs, endMs);
    if (stage === null) continue;
    stages.push(stage);
    previousMs = Math.max(previousMs, stage.endMs);
  }
  const totalMs = Math.max(0, ...stages.map(({ endMs }) => endMs));
  return { turn: timeline.turn, stages, totalMs, reason: timeline.endpointing_reason ?? null, answeredBy: answeredBy(timeline) };
}

function answeredBy({ provider, provider_reason: why }: TurnTimeline): string | null {
  if (!provider) return null;
  return why ? `${provider} (${why})` : provider;
}

/** The turn's latency as the person feels it: end of speech to first audio sent; `null` without audio. */
export function turnLatencyMs(timeline: TurnTimeline): number | null {
  return timeline.first_audio_sent_ms ?? null;
}

/** The right edge of a chart on which `totalMs` fits: a round number that leaves some air. */
export function axisMs(totalMs: number): number {
  const steps = [100, 200, 300, 400, 500, 600, 800, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000];
  return steps.find((each) => each >= totalMs) ?? Math.ceil(totalMs / 10_000) * 10_000;
}

// A speculative stage may end before the one it follows; its bar then begins where it ends.
function bar(key: StageKey, fromMs: number, endMs: number | null | undefined): Stage | null {
  if (endMs === null || endMs === undefined) return null;
  const startMs = Math.min(fromMs, endMs);
  const label = LABELS[key];
  const took = latency(endMs - startMs);
  const sentence =
    startMs === 0
      ? `${label}: ${took} after the end of your words`
      : `${label}: took ${took}, done ${latency(endMs)} after the end of your words`;
  return { key, label, startMs, endMs, sentence };
}
