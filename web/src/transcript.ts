// The transcript as a text file.

import { type Caption, wordsOf } from "./captions";
import { clock, duration, plural } from "./format";

/** What the head of a transcript says about the call. */
export interface TranscriptHead {
  agentName: string;
  agentTitle: string | null;
  session: string | null;
  startedAt: Date | null;
  seconds: number;
}

/** One line of a transcript. */
export interface TranscriptLine {
  /** Milliseconds since session start. */
  atMs: number;
  speaker: string;
  role: "user" | "agent";
  /** What was said; of the agent, what was heard. */
  text: string;
  interrupted: boolean;
}

/** What was said and heard, oldest first. Sentences that nobody heard are left out. */
export function transcriptLines(captions: Caption[], agentName: string): TranscriptLine[] {
  return captions
    .map((caption) => ({
      atMs: caption.atMs,
      speaker: caption.role === "user" ? "You" : (caption.speaker ?? agentName),
      role: caption.role,
      text: wordsOf(caption).trim(),
      interrupted: caption.role === "agent" && caption.interrupted,
    }))
    .filter(({ text }) => text !== "");
}

/** Exchanges in which the person said something. */
export function turnsSaid(captions: Caption[]): number {
  return new Set(captions.filter(({ role }) => role === "user").map(({ turn }) => turn)).size;
}

/** The whole file. */
export function transcriptText(head: TranscriptHead, captions: Caption[]): string {
  const { agentName, agentTitle, session, startedAt, seconds } = head;
  const lines = transcriptLines(captions, agentName);
  const facts = [
    `Call with ${agentName}${agentTitle === null ? "" : `, ${agentTitle}`}`,
    ...(startedAt === null ? [] : [`Began ${startedAt.toISOString()}`]),
    `${duration(seconds)}, ${plural(turnsSaid(captions), "turn")}`,
    ...(session === null ? [] : [`Session ${session}`]),
  ];
  const said = lines.map(
    ({ atMs, speaker, text, interrupted }) =>
      `[${clock(atMs / 1_000)}] ${speaker}: ${text}${interrupted ? " — [interrupted]" : ""}`,
  );
  return [...facts, "", ...(said.length > 0 ? said : ["(Nothing was said.)"]), ""].join("\n");
}

/** A file name such as `antiphon-cal-2026-11-21-0612.txt`. */
export function transcriptFileName(agent: string, startedAt: Date | null): string {
  const safe = agent.replace(/[^a-z0-9-]+/gi, "-");
  const when = (startedAt ?? new Date()).toISOString().slice(0, 16).replace("T", "-").replace(":", "");
  return `antiphon-${safe}-${when}.txt`;
}
