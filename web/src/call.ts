// The connection of a call as a pure state machine: no clock, no network, no browser.
// `session.ts` carries out its effects and wakes it at `wakeAtMs`.

import type { CloseReason, SessionId } from "./wire";

/** Delays before the reconnect attempts, milliseconds; the last one repeats. */
export const BACKOFF_MS = [0, 500, 1_000, 2_000, 4_000] as const;
/** Longest wait for one reconnect attempt, milliseconds. */
export const ATTEMPT_MS_MAX = 8_000;
/** Longest wait for the first connection once the session exists, milliseconds. */
export const FIRST_CONNECT_MS_MAX = 15_000;
/** How long a line may be unsteady before it counts as lost, milliseconds. ICE often heals sooner. */
export const UNSTEADY_MS_MAX = 2_000;

/** What the server handed out for this call. */
export interface Session {
  id: SessionId;
  token: string;
  webrtcUrl: string;
  /** Milliseconds for which a lost connection may be taken up again. */
  reconnectWithinMs: number;
}

/** Why a call is over: the server's own reasons, and those only the page can know. */
export type EndCause = CloseReason | "replaced" | "refused" | "unreachable" | "session_lost";

/** Where the connection stands. All times are milliseconds of one clock. */
export type Phase =
  | { kind: "idle" }
  | { kind: "connecting"; step: "microphone" | "session" | "network"; deadlineMs: number | null }
  | { kind: "connected"; unsteadySinceMs: number | null }
  | {
      kind: "reconnecting";
      /** Attempts begun. */
      attempt: number;
      /** The server gives the session up at this time. */
      deadlineMs: number;
      /** When the next attempt begins, or by when the one under way must have succeeded. */
      wakeMs: number;
      trying: boolean;
    }
  | { kind: "ended"; cause: EndCause; detail: string | null };

/** The state machine's state. */
export interface CallState {
  phase: Phase;
  session: Session | null;
  /** Counts connections; reports of an earlier one are ignored. */
  connection: number;
}

/** What can happen to a call. */
export type CallInput =
  | { kind: "call" }
  | { kind: "microphone_ready" }
  | { kind: "session_created"; session: Session }
  | { kind: "session_refused"; detail: string }
  | { kind: "peer_up"; connection: number }
  | { kind: "peer_unsteady"; connection: number }
  | { kind: "peer_lost"; connection: number }
  | { kind: "offer_failed"; connection: number; fatal: boolean; detail: string }
  | { kind: "network_back" }
  | { kind: "replaced" }
  | { kind: "session_ended"; reason: CloseReason }
  | { kind: "hang_up" }
  | { kind: "wake" };

/** What is to be done. */
export type CallEffect =
  | { kind: "open_microphone" }
  | { kind: "create_session" }
  | { kind: "connect"; connection: number }
  /** Give the connection up without a goodbye: the session goes on over another one. */
  | { kind: "retire" }
  /** Close the connection. */
  | { kind: "close" }
  /** Tell the server that the person hung up, then close. */
  | { kind: "goodbye" };

/** A new state and what is to be done about it. */
export type Step = [CallState, CallEffect[]];

/** No call. */
export const NO_CALL: CallState = { phase: { kind: "idle" }, session: null, connection: 0 };

/** The state after `input` at `nowMs`, and what is to be done. */
export function step(state: CallState, input: CallInput, nowMs: number): Step {
  if (input.kind === "call") return begin(state);
  if (state.phase.kind === "idle" || state.phase.kind === "ended") return [state, []];
  if ("connection" in input && input.connection !== state.connection) return [state, []];
  switch (input.kind) {
    case "microphone_ready":
      return connecting(state, "session", null, [{ kind: "create_session" }]);
    case "session_created":
      return firstConnection({ ...state, session: input.session }, nowMs);
    case "session_refused":
      return end(state, "refused", input.detail, "close");
    case "peer_up":
      return [{ ...state, phase: { kind: "connected", unsteadySinceMs: null } }, []];
    case "peer_unsteady":
      return unsteady(state, nowMs);
    case "peer_lost":
      return lost(state, nowMs, null);
    case "offer_failed":
      return input.fatal ? refused(state, input.detail) : lost(state, nowMs, input.detail);
    case "network_back":
      return networkBack(state, nowMs);
    case "replaced":
      return end(state, "replaced", null, "close");
    case "session_ended":
      return end(state, input.reason, null, "close");
    case "hang_up":
      return end(state, "user_hung_up", null, "goodbye");
    case "wake":
      return wake(state, nowMs);
  }
}

/** When the state machine wants a `wake`, or `null`. */
export function wakeAtMs({ phase }: CallState): number | null {
  switch (phase.kind) {
    case "connecting":
      return phase.deadlineMs;
    case "connected":
      return phase.unsteadySinceMs === null ? null : phase.unsteadySinceMs + UNSTEADY_MS_MAX;
    case "reconnecting":
      return Math.min(phase.wakeMs, phase.deadlineMs);
    case "idle":
    case "ended":
      return null;
  }
}

/** True from the press of Call until the call is over. */
export function isLive({ phase }: CallState): boolean {
  return phase.kind !== "idle" && phase.kind !== "ended";
}

function begin(state: CallState): Step {
  if (isLive(state)) return [state, []];
  const fresh = { ...NO_CALL, connection: state.connection };
  return connecting(fresh, "microphone", null, [{ kind: "open_microphone" }]);
}

function connecting(
  state: CallState,
  at: "microphone" | "session" | "network",
  deadlineMs: number | null,
  effects: CallEffect[],
): Step {
  return [{ ...state, phase: { kind: "connecting", step: at, deadlineMs } }, effects];
}

function firstConnection(state: CallState, nowMs: number): Step {
  const connection = state.connection + 1;
  const effects: CallEffect[] = [{ kind: "connect", connection }];
  return connecting({ ...state, connection }, "network", nowMs + FIRST_CONNECT_MS_MAX, effects);
}

function unsteady(state: CallState, nowMs: number): Step {
  const { phase } = state;
  if (phase.kind !== "connected" || phase.unsteadySinceMs !== null) return [state, []];
  return [{ ...state, phase: { kind: "connected", unsteadySinceMs: nowMs } }, []];
}

function lost(state: CallState, nowMs: number, detail: string | null): Step {
  const { phase, session } = state;
  if (phase.kind === "reconnecting") return retryLater(state, nowMs);
  if (phase.kind === "connected" && session !== null) {
    // The server's own wait began when it stopped hearing us, so ours must not begin later.
    const sinceMs = phase.unsteadySinceMs ?? nowMs;
    const deadlineMs = sinceMs + session.reconnectWithinMs;
    return attempt({ ...state, phase: reconnecting(0, deadlineMs, nowMs) }, nowMs);
  }
  return end(state, "unreachable", detail, "goodbye");
}

function reconnecting(attempts: number, deadlineMs: number, wakeMs: number): Phase {
  return { kind: "reconnecting", attempt: attempts, deadlineMs, wakeMs, trying: false };
}

function attempt(state: CallState, nowMs: number): Step {
  const { phase } = state;
  if (phase.kind !== "reconnecting") return [state, []];
  const connection = state.connection + 1;
  const next: Phase = {
    ...phase,
    attempt: phase.attempt + 1,
    wakeMs: nowMs + ATTEMPT_MS_MAX,
    trying: true,
  };
  return [{ ...state, connection, phase: next }, [{ kind: "connect", connection }]];
}

function retryLater(state: CallState, nowMs: number): Step {
  const { phase } = state;
  if (phase.kind !== "reconnecting") return [state, []];
  const delayMs = BACKOFF_MS[Math.min(phase.attempt, BACKOFF_MS.length - 1)] ?? 0;
  // A new count, so that whatever the failed attempt still reports is ignored.
  const connection = state.connection + 1;
  const next = reconnecting(phase.attempt, phase.deadlineMs, nowMs + delayMs);
  return [{ ...state, connection, phase: next }, [{ kind: "retire" }]];
}

function refused(state: CallState, detail: string): Step {
  const cause = state.phase.kind === "reconnecting" ? "session_lost" : "refused";
  return end(state, cause, detail, cause === "session_lost" ? "close" : "goodbye");
}

function networkBack(state: CallState, nowMs: number): Step {
  const { phase } = state;
  return phase.kind === "reconnecting" && !phase.trying ? attempt(state, nowMs) : [state, []];
}

function wake(state: CallState, nowMs: number): Step {
  const due = wakeAtMs(state);
  if (due === null || nowMs < due) return [state, []];
  const { phase } = state;
  if (phase.kind === "connecting") return end(state, "unreachable", null, "goodbye");
  if (phase.kind === "connected") return lost(state, nowMs, null);
  if (phase.kind !== "reconnecting") return [state, []];
  if (nowMs >= phase.deadlineMs) return end(state, "connection_lost", null, "goodbye");
  return phase.trying ? retryLater(state, nowMs) : attempt(state, nowMs);
}

function end(state: CallState, cause: EndCause, detail: string | null, how: "close" | "goodbye"): Step {
  return [{ ...state, phase: { kind: "ended", cause, detail } }, [{ kind: how }]];
}
