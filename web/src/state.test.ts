import { expect, test } from "vitest";
import { spoken, wordsOf } from "./captions";
import { transcriptLines } from "./transcript";
import { type CallView, EMPTY_VIEW, parseEvent, reduce } from "./state";
import type { EventEnvelope, EventEnvelope1, Message } from "./wire";

test("a partial is replaced by the next, and by the final", () => {
  const view = after(
    started(),
    { type: "user_transcript", turn: 1, text: "hello", final: false },
    { type: "user_transcript", turn: 1, text: "hello world", final: false },
    { type: "user_transcript", turn: 1, text: "Hello, world.", final: true },
  );
  expect(view.captions).toEqual([{ role: "user", turn: 1, text: "Hello, world.", final: true, atMs: 2_000 }]);
});

test("a partial that comes to nothing disappears", () => {
  const view = after(
    started(),
    { type: "user_transcript", turn: 1, text: "uh", final: false },
    { type: "user_transcript", turn: 1, text: "", final: true },
  );
  expect(view.captions).toEqual([]);
});

test("heard words are split from those to come, across sentences", () => {
  const view = after(
    started(),
    { type: "agent_text", turn: 1, segment: 1, text: "First one." },
    { type: "agent_text", turn: 1, segment: 2, text: "Second one." },
    { type: "agent_heard", turn: 1, segment: 1, heard_utf16: 10 },
  );
  expect(words(view, true)).toEqual({ heard: "First one.", unheard: " Second one." });
  const more = next(view, { type: "agent_heard", turn: 1, segment: 2, heard_utf16: 6 });
  expect(words(more, true)).toEqual({ heard: "First one. Second", unheard: " one." });
  expect(words(more, false)).toEqual({ heard: "First one. Second", unheard: "" });
});

test("heard counts UTF-16 units, never goes back and never beyond the sentence", () => {
  const view = after(
    started(),
    { type: "agent_text", turn: 1, segment: 1, text: "😀 ok" },
    { type: "agent_heard", turn: 1, segment: 1, heard_utf16: 2 },
  );
  expect(words(view, true).heard).toBe("😀");
  const beyond = next(view, { type: "agent_heard", turn: 1, segment: 1, heard_utf16: 99 });
  const back = next(beyond, { type: "agent_heard", turn: 1, segment: 1, heard_utf16: 1 });
  expect(words(back, true)).toEqual({ heard: "😀 ok", unheard: "" });
});

test("an interrupted answer keeps only what was heard", () => {
  const view = after(
    started(),
    { type: "agent_text", turn: 1, segment: 1, text: "One two three." },
    { type: "agent_heard", turn: 1, segment: 1, heard_utf16: 7 },
    { type: "message_committed", message: message(1, "agent", "One two", true) },
  );
  expect(words(view, true)).toEqual({ heard: "One two", unheard: "" });
  expect(view.captions[0]).toMatchObject({ interrupted: true });
});

test("an answer of which nothing was heard leaves no caption once the turn is over", () => {
  const view = after(
    started(),
    { type: "agent_text", turn: 1, segment: 1, text: "Never heard." },
    { type: "message_committed", message: message(1, "agent", "", true) },
  );
  expect(view.captions).toEqual([]);
});

test("captions are in the order of the talk", () => {
  const view = after(
    started(),
    { type: "user_transcript", turn: 1, text: "Question?", final: true },
    { type: "agent_text", turn: 1, segment: 1, text: "Answer." },
    { type: "agent_heard", turn: 1, segment: 1, heard_utf16: 3 },
    { type: "user_transcript", turn: 2, text: "but", final: false },
    { type: "message_committed", message: message(1, "agent", "Answer.") },
    { type: "message_committed", message: message(1, "user", "Question?") },
  );
  expect(view.captions.map(({ role, turn }) => `${role}${turn}`)).toEqual(["user1", "agent1", "user2"]);
});

test("an answer that is withdrawn because the person goes on speaking leaves nothing behind", () => {
  const view = after(
    started(),
    { type: "user_transcript", turn: 1, text: "I think", final: true },
    { type: "agent_text", turn: 1, segment: 1, text: "You think what?" },
    { type: "user_transcript", turn: 1, text: "I think we should", final: false },
    { type: "agent_text", turn: 1, segment: 2, text: "Then do it." },
  );
  expect(words(view, true)).toEqual({ heard: "", unheard: "Then do it." });
});

test("an answer that is taken back because a new turn begins leaves nothing behind", () => {
  const view = after(
    started(),
    { type: "user_transcript", turn: 1, text: "I think", final: true },
    { type: "agent_text", turn: 1, segment: 1, text: "You think what?" },
    { type: "user_transcript", turn: 2, text: "we should", final: false },
  );
  expect(view.captions.map(({ role, turn }) => `${role}${turn}`)).toEqual(["user1", "user2"]);
});

test("what an agent said stays theirs when another takes over", () => {
  const view = after(
    started(),
    { type: "agent_text", turn: 1, segment: 1, text: "Here is Riven." },
    { type: "message_committed", message: message(1, "agent", "Here is Riven.") },
    { type: "agent_changed", agent: "riven", agent_name: "Riven" },
    { type: "agent_text", turn: 2, segment: 2, text: "Hello." },
    { type: "message_committed", message: message(2, "agent", "Hello.") },
  );
  expect(view.agent).toBe("riven");
  expect(transcriptLines(view.captions, "Riven").map(({ speaker }) => speaker)).toEqual(["Cal", "Riven"]);
});

test("a partial that was never finished goes when the next turn begins", () => {
  const view = after(
    started(),
    { type: "user_transcript", turn: 1, text: "what if", final: false },
    { type: "user_transcript", turn: 2, text: "Typed instead.", final: true },
  );
  expect(view.captions.map(wordsOf)).toEqual(["Typed instead."]);
});

test("a second answer in one turn is a caption of its own", () => {
  const view = after(
    started(),
    { type: "message_committed", message: message(1, "agent", "Done.") },
    { type: "agent_text", turn: 1, segment: 2, text: "Still there?" },
  );
  expect(view.captions).toHaveLength(2);
});

test("a reconnect takes the history over; an answer that the loss cut off is not in it twice", () => {
  const view = after(
    started(),
    { type: "user_transcript", turn: 1, text: "Hallo.", final: true },
    { type: "agent_text", turn: 1, segment: 1, text: "Hallo to you." },
    { type: "agent_heard", turn: 1, segment: 1, heard_utf16: 5 },
    { type: "agent_text", turn: 2, segment: 2, text: "Never heard." },
    { type: "meter", seconds: 9 },
    { type: "safety", state: "HIGH_RISK" },
    started(true, [message(1, "user", "Hallo."), message(1, "agent", "Hallo", true)]),
  );
  expect(view.captions.map(wordsOf)).toEqual(["Hallo.", "Hallo"]);
  // The safety state comes again with the connection where it is not the normal one.
  expect(view).toMatchObject({ seconds: 9, safety: "NORMAL" });
});

test("a reconnect keeps a sentence that the person is still saying", () => {
  const partial: EventEnvelope1 = { type: "user_transcript", turn: 2, text: "and then", final: false };
  const view = after(started(), partial, started(true, [message(1, "user", "Hallo.")]));
  expect(view.captions.map(wordsOf)).toEqual(["Hallo.", "and then"]);
});

test("what the server's bounded history no longer holds stays on the page", () => {
  const view = after(
    started(),
    { type: "message_committed", message: message(1, "user", "Long ago.") },
    { type: "message_committed", message: message(2, "user", "Later.") },
    started(true, [message(2, "user", "Later."), message(3, "user", "Meanwhile.")]),
  );
  expect(view.captions.map(wordsOf)).toEqual(["Long ago.", "Later.", "Meanwhile."]);
});

test("another session begins with nothing of the one before", () => {
  const other: EventEnvelope1 = { ...(started() as Extract<EventEnvelope1, { type: "session_started" }>), session: "sess_b" };
  const view = after(started(), { type: "meter", seconds: 9 }, other);
  expect(view).toMatchObject({ seconds: 0, session: "sess_b" });
});

test("events already seen and events of unknown kinds change nothing", () => {
  const view = after(started(), { type: "meter", seconds: 5 });
  expect(reduce(view, { seq: 1, at_ms: 0, type: "meter", seconds: 4 }).seconds).toBe(5);
  const unknown = { seq: 9, at_ms: 0, type: "from_the_future" } as unknown as EventEnvelope;
  expect(reduce(view, unknown)).toEqual({ ...view, lastSeq: 9 });
});

test("state, safety, notices, timelines and the end are taken over", () => {
  const view = after(
    started(),
    { type: "agent_state", state: "thinking" },
    { type: "safety", state: "HIGH_RISK" },
    { type: "user_speech", speaking: true },
    { type: "notice", code: "voice_trouble", message: "No voice." },
    { type: "turn_timeline", timeline: { turn: 1, user_end_at_ms: 5, first_audio_sent_ms: 9 } },
    { type: "turn_timeline", timeline: { turn: 1, user_end_at_ms: 5, first_audio_sent_ms: 10 } },
    { type: "session_ending", reason: "drained", in_ms: 5_000 },
    { type: "session_ended", reason: "drained", seconds: 12 },
  );
  expect(view).toMatchObject({
    agentState: "thinking",
    safety: "HIGH_RISK",
    userSpeaking: true,
    notice: { code: "voice_trouble" },
    timelines: [{ first_audio_sent_ms: 10 }],
    ending: { reason: "drained", inMs: 5_000 },
    ended: "drained",
    seconds: 12,
  });
});

test("what is no event is not read as one", () => {
  for (const data of ["", "{", "null", "[]", "3", '{"type":"meter"}', '{"type":1,"seq":1,"at_ms":1}', 7, null]) {
    expect(parseEvent(data), String(data)).toBeNull();
  }
  expect(parseEvent('{"type":"meter","seq":1,"at_ms":2,"seconds":3}')).toMatchObject({ seconds: 3 });
});

function started(resumed = false, history: Message[] = []): EventEnvelope1 {
  const recognizer = { name: "test" };
  return { type: "session_started", session: "sess_a", agent: "cal", agent_name: "Cal", recognizer, resumed, history };
}

function message(turn: number, role: "user" | "agent", text: string, interrupted = false): Message {
  return { turn, role, text, interrupted, at_ms: turn * 1_000 };
}

function after(...events: EventEnvelope1[]): CallView {
  return events.reduce(next, EMPTY_VIEW);
}

function next(view: CallView, event: EventEnvelope1): CallView {
  const seq = view.lastSeq + 1;
  return reduce(view, { ...event, seq, at_ms: seq * 1_000 });
}

function words(view: CallView, current: boolean): { heard: string; unheard: string } {
  const last = view.captions.at(-1);
  if (last?.role !== "agent") throw new Error("the last caption is not the agent's");
  return spoken(last, current);
}
