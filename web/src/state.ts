// What a call looks like: a pure reducer from the server's events.

import { type Caption, withHeard, withHistory, withMessage, withSegment, withSpeaker, withTranscript } from "./captions";
import type {
  AgentState,
  CloseReason,
  EventEnvelope,
  NoticeCode,
  RecognizerView,
  SafetyState,
  SessionId,
  TurnTimeline,
} from "./wire";

/** Timelines kept; a longer call forgets its oldest. */
export const TIMELINES_MAX = 500;

/** Everything the page knows of a call from its events. */
export interface CallView {
  session: SessionId | null;
  /** Id of the agent that has the call now; it may have been handed over. */
  agent: string | null;
  agentName: string | null;
  recognizer: RecognizerView | null;
  agentState: AgentState;
  /** True while the voice activity detector hears the person. */
  userSpeaking: boolean;
  captions: Caption[];
  timelines: TurnTimeline[];
  /** Seconds of talk counted. */
  seconds: number;
  safety: SafetyState;
  notice: { code: NoticeCode; message: string } | null;
  /** The server has said that the call is about to end. */
  ending: { reason: CloseReason; inMs: number } | null;
  ended: CloseReason | null;
  /** Sequence number of the last event taken in. */
  lastSeq: number;
}

/** A call of which nothing is known yet. */
export const EMPTY_VIEW: CallView = {
  session: null,
  agent: null,
  agentName: null,
  recognizer: null,
  agentState: "listening",
  userSpeaking: false,
  captions: [],
  timelines: [],
  seconds: 0,
  safety: "NORMAL",
  notice: null,
  ending: null,
  ended: null,
  lastSeq: 0,
};

/** The view after one event. Events already seen and kinds unknown to this page change nothing. */
export function reduce(view: CallView, event: EventEnvelope): CallView {
  // A connection begins with the whole history, so its first event always counts.
  if (event.type !== "session_started" && event.seq <= view.lastSeq) return view;
  return { ...apply(view, event), lastSeq: event.seq };
}

/** Reads a message of the data channel; `null` where it is no event. */
export function parseEvent(data: unknown): EventEnvelope | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value !== "object" || value === null) return null;
    const { type, seq, at_ms: atMs } = value as Record<string, unknown>;
    const known = typeof type === "string" && typeof seq === "number" && typeof atMs === "number";
    return known ? (value as EventEnvelope) : null;
  } catch {
    return null;
  }
}

function apply(view: CallView, event: EventEnvelope): CallView {
  const { captions } = view;
  const atMs = event.at_ms;
  switch (event.type) {
    case "session_started":
      return start(view, event);
    case "agent_state":
      return { ...view, agentState: event.state };
    case "user_speech":
      return { ...view, userSpeaking: event.speaking };
    case "user_transcript":
      return { ...view, captions: withTranscript(captions, event.turn, event.text, event.final, atMs) };
    case "agent_text":
      return { ...view, captions: withSegment(captions, event.turn, event.segment, event.text, atMs) };
    case "agent_heard":
      return { ...view, captions: withHeard(captions, event.turn, event.segment, event.heard_utf16) };
    case "message_committed":
      return { ...view, captions: withMessage(captions, event.message) };
    case "turn_timeline":
      return { ...view, timelines: withTimeline(view.timelines, event.timeline) };
    case "meter":
      return { ...view, seconds: event.seconds };
    case "safety":
      return { ...view, safety: event.state };
    case "notice":
      return { ...view, notice: { code: event.code, message: event.message } };
    case "agent_changed":
      return {
        ...view,
        agent: event.agent,
        agentName: event.agent_name,
        captions: withSpeaker(captions, view.agentName),
      };
    // The agent itself says what these mean to the person.
    case "user_away":
    case "tool":
      return view;
    // For whoever runs the service, not for the person.
    case "cost":
    case "provider_changed":
      return view;
    case "session_ending":
      return { ...view, ending: { reason: event.reason, inMs: event.in_ms } };
    case "session_ended":
      return { ...view, ended: event.reason, seconds: event.seconds };
    default:
      // A newer server may send kinds this page does not know; the compiler sees all others.
      return ignore(view, event);
  }
}

function start(view: CallView, event: Extract<EventEnvelope, { type: "session_started" }>): CallView {
  const known = event.session === view.session ? view : EMPTY_VIEW;
  return {
    ...known,
    session: event.session,
    agent: event.agent,
    agentName: event.agent_name,
    recognizer: event.recognizer,
    captions: withHistory(known.captions, event.history),
    agentState: "listening",
    userSpeaking: false,
    // Told anew with every connection, but only where it is not the normal state.
    safety: "NORMAL",
    notice: null,
    ending: null,
  };
}

function withTimeline(timelines: TurnTimeline[], timeline: TurnTimeline): TurnTimeline[] {
  const others = timelines.filter((each) => each.turn !== timeline.turn);
  return [...others, timeline].slice(-TIMELINES_MAX);
}

function ignore(view: CallView, _event: never): CallView {
  return view;
}
