// What the page says about states and troubles, in one place.

import type { AppState } from "./app";
import type { CallState, EndCause } from "./call";
import type { MicrophoneState } from "./microphone";
import type { AgentState, SafetyState } from "./wire";

/** Something that a notice offers to do. */
export type NoticeAction = "retry_microphone" | "skip_microphone" | "play_sound";

/** A line above the call. */
export interface Notice {
  /** Stays the same while it is the same notice. */
  key: string;
  tone: "info" | "warn";
  text: string;
  action: { does: NoticeAction; label: string } | null;
  /** Counts down to this time on the page's clock, milliseconds. */
  untilMs: number | null;
}

/** The words for the end of a call. */
export interface EndWords {
  title: string;
  text: string;
}

/** The connection in one or two words. */
export function connectionWords({ phase }: CallState): string {
  switch (phase.kind) {
    case "idle":
      return "Ready";
    case "connecting":
      return "Connecting";
    case "connected":
      return phase.unsteadySinceMs === null ? "Connected" : "Unsteady";
    case "reconnecting":
      return "Reconnecting";
    case "ended":
      return "Call ended";
  }
}

/** What the agent does, as shown beside it. */
export function agentWords(state: AppState): string {
  const { phase } = state.call;
  if (phase.kind === "connecting") {
    return phase.step === "microphone" ? "Waiting for the microphone" : "Calling";
  }
  if (phase.kind === "reconnecting") return "Reconnecting";
  return AGENT_WORDS[state.view.agentState];
}

const AGENT_WORDS: Record<AgentState, string> = {
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
};

/** The safety state in a few words, and what it means. */
export const SAFETY_WORDS: Record<SafetyState, { short: string; long: string }> = {
  NORMAL: { short: "All well", long: "Safety check: nothing of concern." },
  ELEVATED_CONCERN: {
    short: "Taking care",
    long: "Safety check: the agent may ask how you are and name someone to talk to.",
  },
  HIGH_RISK: { short: "Reviewed words", long: "Safety check: the agent now speaks only reviewed words." },
  SAFETY_MODE: {
    short: "Safety mode",
    long: "Safety check: reviewed words and local help only. This time is not charged.",
  },
};

/** Everything the person should know now, the most pressing first. */
export function noticesOf(state: AppState): Notice[] {
  return [...connectionNotices(state), ...soundNotices(state), ...microphoneNotices(state)];
}

/** Why the call is over and what can be done. `said` where anything was said in it. */
export function endWords(cause: EndCause, detail: string | null, agent: string, said: boolean): EndWords {
  const words = cause === "user_hung_up" && !said ? { ...END_WORDS[cause], title: "Call ended" } : END_WORDS[cause];
  return { title: words.title.replace("{agent}", agent), text: detail ?? words.text.replace("{agent}", agent) };
}

const END_WORDS: Record<EndCause, EndWords> = {
  user_hung_up: { title: "Good talk", text: "You hung up." },
  agent_hung_up: { title: "{agent} ended the call", text: "You can call again whenever you like." },
  deleted: { title: "The call was ended", text: "It was ended from outside this page." },
  connection_lost: {
    title: "The connection was lost",
    text: "It could not be taken up again in time. Everything said so far is kept here.",
  },
  never_connected: { title: "The call did not connect", text: "Please call again." },
  drained: {
    title: "The server is shutting down",
    text: "It had to end the call. Call again in a minute.",
  },
  time_limit: { title: "Time is up", text: "The call reached the longest time allowed." },
  user_away: {
    title: "Nobody was there",
    text: "{agent} could not hear you for a while and hung up. Call again whenever you like.",
  },
  too_many_failures: {
    title: "Something keeps failing",
    text: "Several answers in a row could not be made. Please call again in a few minutes.",
  },
  voicemail: { title: "A voicemail answered", text: "The call ended by itself." },
  internal_error: {
    title: "Something broke at our end",
    text: "The call had to stop. The session number in the transcript helps to find out why.",
  },
  replaced: {
    title: "The call moved elsewhere",
    text: "Another window or device took this call over and goes on with it.",
  },
  refused: { title: "The call could not begin", text: "The server refused it." },
  unreachable: {
    title: "No connection",
    text: "The server answered, but no audio got through. A firewall or VPN may block UDP.",
  },
  session_lost: { title: "The call is over", text: "The server no longer knows it." },
};

function connectionNotices({ agentsTrouble, inCall, call, view }: AppState): Notice[] {
  const { phase } = call;
  if (!inCall && agentsTrouble !== null) {
    return [notice("agents", "warn", `${agentsTrouble} Trying again every few seconds.`)];
  }
  if (phase.kind === "reconnecting") {
    const text = navigator.onLine
      ? "The connection dropped. Taking the call up again; nothing said is lost."
      : "You are offline. The call goes on as soon as the network is back; nothing said is lost.";
    return [{ ...notice("reconnecting", "warn", text), untilMs: phase.deadlineMs }];
  }
  if (phase.kind !== "connected") return [];
  return [
    ...(view.ending === null ? [] : [notice("ending", "warn", endingText(view.ending))]),
    ...(phase.unsteadySinceMs === null ? [] : [notice("unsteady", "info", "The connection is unsteady.")]),
    ...(view.notice === null ? [] : [notice(`server-${view.notice.code}`, "info", view.notice.message)]),
  ];
}

function endingText({ reason, inMs }: NonNullable<AppState["view"]["ending"]>): string {
  const why = reason === "drained" ? "The server is shutting down" : "This call is about to end";
  return `${why}: about ${Math.max(1, Math.round(inMs / 1_000))} s left. Your transcript is kept on this page.`;
}

function soundNotices({ audioLocked }: AppState): Notice[] {
  if (!audioLocked) return [];
  const action = { does: "play_sound", label: "Play sound" } as const;
  return [{ ...notice("sound", "warn", "Your browser holds the sound back until you press something."), action }];
}

function microphoneNotices({ call, microphone, microphones }: AppState): Notice[] {
  if (call.phase.kind === "idle" || call.phase.kind === "ended") return [];
  const words = MICROPHONE_WORDS[microphone];
  if (words === undefined) return [];
  // While the question is open the browser shows it; the way around it is ours to show.
  const retry = microphone === "unplugged" && microphones.length > 0 ? "Use another" : "Try again";
  const action =
    microphone === "asking"
      ? ({ does: "skip_microphone", label: "Go on without" } as const)
      : microphone === "insecure"
        ? null
        : ({ does: "retry_microphone", label: microphone === "skipped" ? "Use microphone" : retry } as const);
  return [{ ...notice(`microphone-${microphone}`, "info", words), action }];
}

const MICROPHONE_WORDS: Partial<Record<MicrophoneState, string>> = {
  asking: "Your browser is asking for the microphone. Allow it to talk, or go on by typing.",
  refused:
    "The microphone is blocked for this page. You can type, and you hear every answer. " +
    "To talk, allow it in the address bar and try again.",
  missing: "No microphone was found. You can type, and you hear every answer.",
  busy: "Another program holds the microphone. You can type meanwhile.",
  insecure:
    "Browsers allow the microphone only on https:// pages and on localhost. You can type, and you hear every answer.",
  unplugged: "The microphone was unplugged. You can type, or use another one.",
  skipped: "You are typing. You hear every answer.",
};

function notice(key: string, tone: "info" | "warn", text: string): Notice {
  return { key, tone, text, action: null, untilMs: null };
}
