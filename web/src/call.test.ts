import { expect, test } from "vitest";
import {
  ATTEMPT_MS_MAX,
  BACKOFF_MS,
  type CallEffect,
  type CallInput,
  type CallState,
  FIRST_CONNECT_MS_MAX,
  NO_CALL,
  type Session,
  step,
  UNSTEADY_MS_MAX,
  wakeAtMs,
} from "./call";

const SESSION: Session = { id: "sess_a", token: "t", webrtcUrl: "/w", reconnectWithinMs: 30_000 };

test("a call asks for the microphone, then the session, then the connection", () => {
  const run = machine();
  expect(run({ kind: "call" })).toEqual(["open_microphone"]);
  expect(run({ kind: "microphone_ready" })).toEqual(["create_session"]);
  expect(run({ kind: "session_created", session: SESSION })).toEqual(["connect 1"]);
  run({ kind: "peer_up", connection: 1 });
  expect(run.state().phase).toEqual({ kind: "connected", unsteadySinceMs: null });
});

test("the first connection is given up after its time", () => {
  const run = machine();
  run({ kind: "call" });
  run({ kind: "microphone_ready" });
  run({ kind: "session_created", session: SESSION });
  expect(wakeAtMs(run.state())).toBe(FIRST_CONNECT_MS_MAX);
  run.at(FIRST_CONNECT_MS_MAX);
  expect(run({ kind: "wake" })).toEqual(["goodbye"]);
  expect(run.state().phase).toMatchObject({ kind: "ended", cause: "unreachable" });
});

test("a refused session ends the call with the server's words", () => {
  const run = machine();
  run({ kind: "call" });
  run({ kind: "microphone_ready" });
  run({ kind: "session_refused", detail: "Too many calls." });
  expect(run.state().phase).toEqual({ kind: "ended", cause: "refused", detail: "Too many calls." });
});

test("an unsteady line that heals is no loss; one that does not is", () => {
  const run = connected();
  run({ kind: "peer_unsteady", connection: 1 });
  run.at(UNSTEADY_MS_MAX - 1);
  run({ kind: "wake" });
  run({ kind: "peer_up", connection: 1 });
  expect(run.state().phase).toEqual({ kind: "connected", unsteadySinceMs: null });
  run({ kind: "peer_unsteady", connection: 1 });
  run.at(2 * UNSTEADY_MS_MAX - 1);
  expect(run({ kind: "wake" })).toEqual(["connect 2"]);
  // The window began when the line became unsteady, not when we gave it up.
  expect(run.state().phase).toMatchObject({ deadlineMs: UNSTEADY_MS_MAX - 1 + 30_000 });
});

test("a lost connection is taken up with growing delays until the server's patience ends", () => {
  const run = connected();
  const begunAtMs: number[] = [];
  let effects = run({ kind: "peer_lost", connection: 1 });
  while (run.state().phase.kind === "reconnecting") {
    if (effects.some((each) => each.startsWith("connect"))) {
      begunAtMs.push(run.nowMs());
      effects = run({ kind: "offer_failed", connection: run.state().connection, fatal: false, detail: "" });
    }
    run.at(wakeAtMs(run.state()) ?? 0);
    effects = run({ kind: "wake" });
  }
  expect(begunAtMs).toEqual([0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500]);
  expect(run.nowMs()).toBe(30_000);
  expect(effects).toEqual(["goodbye"]);
  expect(run.state().phase).toMatchObject({ kind: "ended", cause: "connection_lost" });
});

test("an attempt that hangs is given up, and its late reports are ignored", () => {
  const run = connected();
  run({ kind: "peer_lost", connection: 1 });
  run.at(ATTEMPT_MS_MAX);
  expect(run({ kind: "wake" })).toEqual(["retire"]);
  run({ kind: "peer_up", connection: 2 });
  expect(run.state().phase.kind).toBe("reconnecting");
  run.at(ATTEMPT_MS_MAX + BACKOFF_MS[1]);
  expect(run({ kind: "wake" })).toEqual(["connect 4"]);
  run({ kind: "peer_up", connection: 4 });
  expect(run.state().phase.kind).toBe("connected");
});

test("a network that comes back is tried at once, but not twice at a time", () => {
  const run = connected();
  run({ kind: "peer_lost", connection: 1 });
  expect(run({ kind: "network_back" })).toEqual([]);
  run({ kind: "offer_failed", connection: 2, fatal: false, detail: "" });
  expect(run({ kind: "network_back" })).toEqual(["connect 4"]);
});

test("a session that the server no longer has is not tried again", () => {
  const run = connected();
  run({ kind: "peer_lost", connection: 1 });
  expect(run({ kind: "offer_failed", connection: 2, fatal: true, detail: "Gone." })).toEqual(["close"]);
  expect(run.state().phase).toEqual({ kind: "ended", cause: "session_lost", detail: "Gone." });
});

test("a call that moved elsewhere is left alone", () => {
  const run = connected();
  expect(run({ kind: "replaced" })).toEqual(["close"]);
  expect(run.state().phase).toMatchObject({ cause: "replaced" });
});

test("after the end only another call does anything", () => {
  const run = connected();
  expect(run({ kind: "hang_up" })).toEqual(["goodbye"]);
  for (const input of [{ kind: "hang_up" }, { kind: "peer_lost", connection: 1 }, { kind: "wake" }] as CallInput[]) {
    expect(run(input)).toEqual([]);
  }
  expect(wakeAtMs(run.state())).toBeNull();
  expect(run({ kind: "call" })).toEqual(["open_microphone"]);
  run({ kind: "microphone_ready" });
  expect(run({ kind: "session_created", session: SESSION })).toEqual(["connect 2"]);
});

interface Machine {
  (input: CallInput): string[];
  state(): CallState;
  nowMs(): number;
  at(ms: number): void;
}

/** Feeds inputs; returns the effects as words. */
function machine(): Machine {
  let state = NO_CALL;
  let nowMs = 0;
  const run = (input: CallInput): string[] => {
    const [next, effects] = step(state, input, nowMs);
    state = next;
    return effects.map(word);
  };
  return Object.assign(run, {
    state: () => state,
    nowMs: () => nowMs,
    at: (ms: number) => {
      nowMs = ms;
    },
  });
}

function connected(): Machine {
  const run = machine();
  run({ kind: "call" });
  run({ kind: "microphone_ready" });
  run({ kind: "session_created", session: SESSION });
  run({ kind: "peer_up", connection: 1 });
  return run;
}

function word(effect: CallEffect): string {
  return effect.kind === "connect" ? `connect ${effect.connection}` : effect.kind;
}
