// Captions as data: who said what, how much of it was heard, and whether it may still change.

import type { Message, Role, SegmentId, TurnId } from "./wire";

/** One sentence of the agent, and how much of it the person has heard. */
export interface Segment {
  id: SegmentId;
  text: string;
  /** UTF-16 code units heard. */
  heardUtf16: number;
}

/** What the person said in one turn. */
export interface UserCaption {
  role: "user";
  turn: TurnId;
  text: string;
  /** False while the recognizer may still change the text. */
  final: boolean;
  /** Milliseconds since session start. */
  atMs: number;
}

/** What the agent says in one turn. */
export interface AgentCaption {
  role: "agent";
  turn: TurnId;
  segments: Segment[];
  /** What was heard in the end, once the turn is over; it replaces the sentences. */
  committed: string | null;
  /** True where the person cut the agent off. */
  interrupted: boolean;
  /** Milliseconds since session start. */
  atMs: number;
  /** Who said it, where another agent has the call by now. */
  speaker?: string;
}

/** An entry of the captions. */
export type Caption = UserCaption | AgentCaption;

/** The words of an agent caption, split at what was heard. */
export interface Spoken {
  heard: string;
  /** Still to come. Empty once the turn is over: what was not heard was not said. */
  unheard: string;
}

/**
 * The captions with what the person has said so far in `turn`. Words of an answer to that turn that
 * were not heard yet are withdrawn: the person has gone on speaking and is answered anew. A partial
 * of an earlier turn that was never finished goes too.
 */
export function withTranscript(
  captions: Caption[],
  turn: TurnId,
  text: string,
  final: boolean,
  atMs: number,
): Caption[] {
  const known = findLast(captions, "user", turn);
  if (text.trim() === "") return known === null ? captions : captions.filter((each) => each !== known);
  const fresh: UserCaption = { role: "user", turn, text, final, atMs: known?.atMs ?? atMs };
  const others = captions.filter((each) => each !== known).flatMap((each) => overtaken(each, turn));
  return insert(others, fresh);
}

/** The captions with one more sentence of the agent. */
export function withSegment(
  captions: Caption[],
  turn: TurnId,
  segment: SegmentId,
  text: string,
  atMs: number,
): Caption[] {
  const known = findLast(captions, "agent", turn);
  const sentence: Segment = { id: segment, text, heardUtf16: 0 };
  if (known?.role !== "agent" || known.committed !== null) {
    const fresh: AgentCaption = {
      role: "agent",
      turn,
      segments: [sentence],
      committed: null,
      interrupted: false,
      atMs,
    };
    return insert(captions, fresh);
  }
  if (known.segments.some((each) => each.id === segment)) return captions;
  return replace(captions, known, { ...known, segments: [...known.segments, sentence] });
}

/** The captions after the person has heard `heardUtf16` code units of a sentence. */
export function withHeard(
  captions: Caption[],
  turn: TurnId,
  segment: SegmentId,
  heardUtf16: number,
): Caption[] {
  const known = findLast(captions, "agent", turn);
  if (known?.role !== "agent") return captions;
  const segments = known.segments.map((each) =>
    each.id === segment
      ? { ...each, heardUtf16: Math.min(Math.max(each.heardUtf16, heardUtf16), each.text.length) }
      : each,
  );
  return replace(captions, known, { ...known, segments });
}

/** The captions when another agent takes over from `speaker`: what was said stays theirs. */
export function withSpeaker(captions: Caption[], speaker: string | null): Caption[] {
  if (speaker === null) return captions;
  return captions.map((each) => (each.role === "agent" ? { speaker, ...each } : each));
}

/** The captions with an entry of the history, which is the truth about its turn. */
export function withMessage(captions: Caption[], message: Message): Caption[] {
  const { turn, role, text, interrupted, at_ms: atMs } = message;
  if (role === "user") return withUserMessage(captions, message);
  // Tools are not part of what was said.
  if (role !== "agent") return captions;
  const known = findLast(captions, "agent", turn);
  if (known?.role !== "agent" || known.committed !== null) {
    if (text.trim() === "") return captions;
    return insert(captions, { role, turn, segments: [], committed: text, interrupted, atMs });
  }
  if (text.trim() === "") return captions.filter((each) => each !== known);
  return replace(captions, known, { ...known, committed: text, interrupted });
}

/**
 * The captions after a reconnect: the history; what is older than the history reaches back, which is
 * bounded; and what the person was saying. An answer under way ended with the old connection.
 */
export function withHistory(captions: Caption[], history: Message[]): Caption[] {
  const said = history.reduce(withMessage, [] as Caption[]);
  const firstTurn = history[0]?.turn ?? 0;
  const kept = captions.filter((each) =>
    isSettled(each)
      ? each.turn < firstTurn
      : each.role === "user" && findLast(said, "user", each.turn) === null,
  );
  return kept.reduce(insert, said);
}

/** True once the caption will not change any more. */
export function isSettled(caption: Caption): boolean {
  return caption.role === "user" ? caption.final : caption.committed !== null;
}

/** The agent's words, split at what was heard. `current` where the agent may still be speaking it. */
export function spoken(caption: AgentCaption, current: boolean): Spoken {
  if (caption.committed !== null) return { heard: caption.committed, unheard: "" };
  const heard: string[] = [];
  const unheard: string[] = [];
  for (const { text, heardUtf16 } of caption.segments) {
    if (heardUtf16 > 0) heard.push(text.slice(0, heardUtf16));
    if (heardUtf16 < text.length) unheard.push(text.slice(heardUtf16));
  }
  return { heard: heard.join(" "), unheard: current ? joinRest(heard, caption, unheard) : "" };
}

/** What is said in a caption, as far as it counts: the person's text, the agent's heard words. */
export function wordsOf(caption: Caption): string {
  return caption.role === "user" ? caption.text : spoken(caption, false).heard.trim();
}

function withUserMessage(captions: Caption[], { turn, text, at_ms: atMs }: Message): Caption[] {
  const known = findLast(captions, "user", turn);
  if (known === null) return insert(captions, { role: "user", turn, text, final: true, atMs });
  return replace(captions, known, { role: "user", turn, text, final: true, atMs: known.atMs });
}

// What becomes of a caption when the person is heard saying something in `turn`.
function overtaken(caption: Caption, turn: TurnId): Caption[] {
  if (caption.role === "user") return caption.final || caption.turn > turn ? [caption] : [];
  if (caption.committed !== null) return [caption];
  const segments = caption.segments.filter(({ heardUtf16 }) => heardUtf16 > 0);
  // An earlier turn's answer may still be playing; one of which nothing was heard was taken back.
  if (caption.turn < turn && segments.length > 0) return [caption];
  return segments.length === 0 ? [] : [{ ...caption, segments }];
}

// A sentence cut in its middle goes on without a space of ours; a whole one needs it.
function joinRest(heard: string[], caption: AgentCaption, unheard: string[]): string {
  const rest = unheard.join(" ");
  const cut = caption.segments.some(
    ({ heardUtf16, text }) => heardUtf16 > 0 && heardUtf16 < text.length,
  );
  return heard.length > 0 && rest !== "" && !cut ? ` ${rest}` : rest;
}

function findLast(captions: Caption[], role: Role, turn: TurnId): Caption | null {
  return captions.findLast((each) => each.role === role && each.turn === turn) ?? null;
}

function replace(captions: Caption[], old: Caption, next: Caption): Caption[] {
  return captions.map((each) => (each === old ? next : each));
}

// By turn, and within a turn the person first: partials of the next turn arrive while the agent
// still speaks, and the recognizer's final may come after the first sentence of the answer.
function insert(captions: Caption[], fresh: Caption): Caption[] {
  const after = captions.findLastIndex((each) => rank(each) <= rank(fresh));
  return captions.toSpliced(after + 1, 0, fresh);
}

function rank(caption: Caption): number {
  return caption.turn * 2 + (caption.role === "agent" ? 1 : 0);
}
