// Small pure modules: waterfall, transcript, formats, meters, colours, shortcuts, microphone errors.

import { expect, test } from "vitest";
import type { Caption } from "./captions";
import { clock, duration, latency, median } from "./format";
import { meterFill, rmsDb, SILENCE_DB } from "./levels";
import { troubleOf } from "./microphone";
import { shortcutOf } from "./shortcuts";
import { transcriptFileName, transcriptText, turnsSaid } from "./transcript";
import { buttonColors, contrast, CONTRAST_MIN, safeColor } from "./ui/colors";
import { axisMs, waterfall } from "./waterfall";

const CAPTIONS: Caption[] = [
  { role: "agent", turn: 0, segments: [], committed: "Hello.", interrupted: false, atMs: 400 },
  { role: "user", turn: 1, text: "What is a grid?", final: true, atMs: 61_000 },
  {
    role: "agent",
    turn: 1,
    segments: [{ id: 2, text: "A grid is two things.", heardUtf16: 9 }],
    committed: "A grid is",
    interrupted: true,
    atMs: 63_000,
  },
  {
    role: "agent",
    turn: 2,
    segments: [{ id: 3, text: "Nobody heard this.", heardUtf16: 0 }],
    committed: null,
    interrupted: false,
    atMs: 70_000,
  },
];

test("a waterfall's stages follow one another; recognizing and endpointing run side by side", () => {
  const { stages, totalMs, reason } = waterfall({
    turn: 3,
    user_end_at_ms: 9_000,
    transcript_final_ms: 210,
    endpointing_ms: 320,
    endpointing_reason: "Falling pitch.",
    first_token_ms: 330,
    first_audio_made_ms: 390,
    first_audio_sent_ms: 405,
  });
  expect(stages.map(({ key, startMs, endMs }) => [key, startMs, endMs])).toEqual([
    ["transcript_final", 0, 210],
    ["endpointing", 0, 320],
    ["first_token", 320, 330],
    ["first_audio_made", 330, 390],
    ["first_audio_sent", 390, 405],
  ]);
  expect(totalMs).toBe(405);
  expect(reason).toBe("Falling pitch.");
});

test("stages that a turn did not have are left out, and speculative ones begin where they end", () => {
  const typed = waterfall({ turn: 1, user_end_at_ms: 0, first_token_ms: 8, first_audio_sent_ms: 70 });
  expect(typed.stages.map(({ key, startMs }) => [key, startMs])).toEqual([
    ["first_token", 0],
    ["first_audio_sent", 8],
  ]);
  const early = waterfall({ turn: 1, user_end_at_ms: 0, endpointing_ms: 300, first_token_ms: 120, first_audio_made_ms: 310 });
  expect(early.stages.map(({ key, startMs, endMs }) => [key, startMs, endMs])).toEqual([
    ["endpointing", 0, 300],
    ["first_token", 120, 120],
    ["first_audio_made", 300, 310],
  ]);
  expect(waterfall({ turn: 1, user_end_at_ms: 0 })).toMatchObject({ stages: [], totalMs: 0 });
});

test("an axis is a round number on which the turn fits", () => {
  expect([0, 100, 436, 512, 1_001, 9_000, 12_001].map(axisMs)).toEqual([100, 100, 500, 600, 1_500, 10_000, 20_000]);
});

test("a transcript has times, speakers, only heard words, and marks interruptions", () => {
  const head = { agentName: "Cal", agentTitle: "Web Wizard", session: "sess_a", startedAt: new Date(0), seconds: 83 };
  expect(transcriptText(head, CAPTIONS).split("\n")).toEqual([
    "Call with Cal, Web Wizard",
    "Began 1970-01-01T00:00:00.000Z",
    "1 minute 23 seconds, 1 turn",
    "Session sess_a",
    "",
    "[0:00] Cal: Hello.",
    "[1:01] You: What is a grid?",
    "[1:03] Cal: A grid is — [interrupted]",
    "",
  ]);
  expect(turnsSaid(CAPTIONS)).toBe(1);
  expect(transcriptText({ ...head, agentTitle: null, session: null, startedAt: null }, [])).toContain("(Nothing was said.)");
});

test("a transcript's file name is safe whatever the agent is called", () => {
  expect(transcriptFileName("../cal", new Date(0))).toBe("antiphon--cal-1970-01-01-0000.txt");
});

test("numbers read as people write them", () => {
  expect([0, 7, 83, 3_723].map(clock)).toEqual(["0:00", "0:07", "1:23", "1:02:03"]);
  expect([0, 1, 60, 83].map(duration)).toEqual(["0 seconds", "1 second", "1 minute", "1 minute 23 seconds"]);
  expect([412, 999.6, 1_240].map(latency)).toEqual(["412 ms", "1.00 s", "1.24 s"]);
  expect([median([]), median([3]), median([9, 1, 5]), median([1, 2, 4, 9])]).toEqual([null, 3, 5, 3]);
});

test("levels are in dBFS and fill the meter between -60 and -6", () => {
  expect(rmsDb(new Float32Array(64))).toBe(SILENCE_DB);
  expect(rmsDb(new Float32Array(64).fill(1))).toBeCloseTo(0);
  expect(rmsDb(Float32Array.from({ length: 480 }, (_, n) => Math.sin((n / 48) * 2 * Math.PI)))).toBeCloseTo(-3.01, 1);
  expect([SILENCE_DB, -60, -33, -6, 0].map(meterFill)).toEqual([0, 0, 0.5, 1, 1]);
});

test("every agent colour carries readable text", () => {
  for (const color of ["#5b6ee1", "#d9486e", "#e0a526", "#ffffff", "#000000", "#00ff00", "#808080"]) {
    const { ground, text } = buttonColors(color);
    expect(contrast(ground, text), color).toBeGreaterThanOrEqual(CONTRAST_MIN);
  }
  expect(safeColor("red; background: url(x)")).toMatch(/^#[0-9a-f]{6}$/);
});

test("shortcuts act outside fields only, and never with a modifier", () => {
  const press = { key: "m", shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, repeat: false };
  expect(shortcutOf(press, false)).toBe("mute");
  expect(shortcutOf(press, true)).toBeNull();
  expect(shortcutOf({ ...press, ctrlKey: true }, false)).toBeNull();
  expect(shortcutOf({ ...press, repeat: true }, false)).toBeNull();
  expect(shortcutOf({ ...press, key: "H", shiftKey: true }, false)).toBe("hang_up");
  expect(shortcutOf({ ...press, key: "h" }, false)).toBeNull();
  expect(shortcutOf({ ...press, key: "Escape" }, true)).toBe("leave_field");
  expect(shortcutOf({ ...press, key: "Escape" }, false)).toBe("interrupt");
});

test("each way of having no microphone has its own words", () => {
  const names = ["NotAllowedError", "NotFoundError", "NotReadableError", "OverconstrainedError", "SecurityError", ""];
  expect(names.map(troubleOf)).toEqual(["refused", "missing", "busy", "missing", "refused", "missing"]);
});
