// Events of a made-up call.

const ADVICE =
  "Embedded recognizer: it mishears at times. For a better one run `antiphon models pull whisper-base.en`.";

/** First event of a connection. */
export function started({ resumed = false, history = [], session = "sess_stub1", advice = ADVICE } = {}) {
  const recognizer = { name: "pocketsphinx", advice };
  return { type: "session_started", session, agent: "cal", agent_name: "Cal", recognizer, resumed, history };
}

/** What the agent does. */
export const state = (value) => ({ type: "agent_state", state: value });
/** What the person says. */
export const user = (turn, text, final) => ({ type: "user_transcript", turn, text, final });
/** A sentence of the agent. */
export const says = (turn, segment, text) => ({ type: "agent_text", turn, segment, text });
/** How much of it was heard. */
export const heard = (turn, segment, text) => ({ type: "agent_heard", turn, segment, heard_utf16: text.length });
/** An entry of the history. */
export const message = (turn, role, text, interrupted = false, at_ms = turn * 4_000) => ({
  turn,
  role,
  text,
  interrupted,
  at_ms,
});
/** The history grows. */
export const committed = (...args) => ({ type: "message_committed", message: message(...args) });
/** Seconds counted. */
export const meter = (seconds) => ({ type: "meter", seconds });

/** Where the time of a turn went. */
export function timeline(turn, total, reason = "A full sentence and falling pitch: 280 ms of silence were enough.") {
  const timeline = {
    turn,
    user_end_at_ms: turn * 4_000,
    transcript_final_ms: Math.round(total * 0.55),
    endpointing_ms: Math.round(total * 0.75),
    endpointing_reason: reason,
    first_token_ms: Math.round(total * 0.77),
    first_audio_made_ms: Math.round(total * 0.93),
    first_audio_sent_ms: total,
  };
  return { type: "turn_timeline", timeline };
}

const GREETING = "Hello, Cal here. What are we building today?";
const ANSWER = [
  "Start with one page that says one thing.",
  "A page about something you love is easiest, because you already know the words.",
];

/** A call up to the middle of the agent's second answer. */
export const CONVERSATION = [
  started(),
  { type: "safety", state: "NORMAL" },
  state("speaking"),
  says(0, 1, GREETING),
  heard(0, 1, GREETING),
  committed(0, "agent", GREETING, false, 400),
  state("listening"),
  { type: "user_speech", speaking: true },
  user(1, "how do I centre", false),
  user(1, "How do I centre a box on a page?", true),
  committed(1, "user", "How do I centre a box on a page?", false, 4_200),
  state("thinking"),
  says(1, 2, "Make the parent a grid and give it place-items: center."),
  says(1, 3, "Two lines, no tricks, and it works in every browser of the last years."),
  state("speaking"),
  timeline(1, 436),
  heard(1, 2, "Make the parent a grid and give it place-items: center."),
  heard(1, 3, "Two lines, no"),
  committed(1, "agent", "Make the parent a grid and give it place-items: center. Two lines, no", true, 6_100),
  user(2, "OK and what is a good first site to build?", true),
  committed(2, "user", "OK and what is a good first site to build?", false, 9_400),
  state("thinking"),
  meter(14),
  says(2, 4, ANSWER[0]),
  says(2, 5, ANSWER[1]),
  state("speaking"),
  timeline(2, 512, "The sentence sounded unfinished, so the agent waited a little longer."),
  heard(2, 4, ANSWER[0]),
  heard(2, 5, "A page about something"),
  meter(17),
];
