// The screen during a call: the voice, the words, the times.

import type { App, AppState } from "../app";
import type { CallAudio } from "../audio";
import { clock, duration } from "../format";
import { agentWords, SAFETY_WORDS } from "../wording";
import type { AgentView } from "../wire";
import { avatar, paint } from "./avatar";
import { CaptionList } from "./caption_list";
import { safeColor } from "./colors";
import { type Controls, controls } from "./controls";
import { button, h, setAttributes, setText, show } from "./dom";
import { icon } from "./icons";
import { Meter } from "./meter";
import { Orb, type OrbMood } from "./orb";
import { WaterfallPanel } from "./waterfall_chart";

/** Below this width the times are folded away, pixels. */
const WIDE_PX = 1_100;

/** The screen, and its controls for the shortcuts. */
export function callScreen(app: App, audio: CallAudio): { element: HTMLElement; controls: Controls } {
  const stage = stageCard(audio, app);
  const captions = new CaptionList();
  const asks = askChips(app);
  const dock = controls(app);
  const times = timesPanel();
  const advice = h("p", { class: "advice", "data-testid": "advice", hidden: true });
  const element = h(
    "section",
    { class: "call", "aria-label": "Call" },
    h("div", { class: "call-side" }, stage.element, shortcutsCard()),
    h("div", { class: "call-words" }, captions.element, asks.element, advice, dock.element),
    times.element,
  );
  let adviceShown: string | null = null;
  app.subscribe((state) => {
    const agent = agentOf(state);
    const name = state.view.agentName ?? agent?.name ?? "the agent";
    paint(element, agent);
    stage.render(state, agent, name);
    captions.render(state, name);
    asks.render(state, agent);
    dock.render(state, name);
    times.panel.render(state.view.timelines);
    const line = state.view.recognizer?.advice ?? null;
    show(advice, line !== null);
    if (line !== null && line !== adviceShown) advice.replaceChildren(...withCode(line));
    adviceShown = line;
  });
  return { element, controls: dock };
}

// Commands come in backquotes, as they do at the command line.
function withCode(line: string): Node[] {
  return line.split("`").map((part, at) => (at % 2 === 1 ? h("code", {}, part) : document.createTextNode(part)));
}

/** The agent of the current call, or the one chosen. */
export function agentOf({ agents, selected, view }: AppState): AgentView | null {
  const now = view.agent ?? selected;
  return agents?.find(({ id }) => id === now) ?? null;
}

interface Stage {
  element: HTMLElement;
  render(state: AppState, agent: AgentView | null, name: string): void;
}

function stageCard(audio: CallAudio, app: App): Stage {
  const orb = new Orb();
  const face = h("span", { class: "orb-face", "aria-hidden": "true" });
  const name = h("h1", { class: "stage-name" });
  const title = h("p", { class: "stage-title" });
  const doing = h("p", { class: "agent-state", "data-testid": "agent-state" });
  const facts = stageFacts();
  const input = new Meter("You", "input-level");
  const output = new Meter("Agent", "output-level");
  const meters = h("div", { class: "meters" }, input.element, output.element);
  const words = h("div", { class: "stage-words" }, name, title, doing);
  const voice = h("div", { class: "orb" }, orb.element, face);
  const element = h("div", { class: "stage" }, voice, words, facts.element, meters);
  watchLevels(audio, app, orb, input, output);
  let shown: AgentView | null = null;
  const render = (state: AppState, agent: AgentView | null, agentName: string): void => {
    if (agent !== null && agent !== shown) face.replaceChildren(avatar(agent));
    shown = agent;
    setText(name, agentName);
    setText(title, agent?.title ?? "");
    setText(doing, agentWords(state));
    const mood = moodOf(state, safeColor(agent?.color ?? ""));
    setAttributes(element, { "data-mood": mood.kind, "data-user-speaking": state.view.userSpeaking });
    setAttributes(doing, { "data-state": state.view.agentState });
    orb.show(mood);
    orb.run(mood.kind !== "resting");
    facts.render(state);
  };
  return { element, render };
}

function watchLevels(audio: CallAudio, app: App, orb: Orb, input: Meter, output: Meter): void {
  audio.watch(({ inputDb, outputDb }) => {
    if (!app.state.inCall) return;
    input.set(inputDb);
    output.set(outputDb);
    orb.follow(app.state.view.agentState === "speaking" ? outputDb : inputDb);
  });
}

function moodOf({ call: { phase }, view }: AppState, color: string): OrbMood {
  if (phase.kind === "connected") return { kind: view.agentState, color };
  const waiting = phase.kind === "connecting" || phase.kind === "reconnecting";
  return { kind: waiting ? "connecting" : "resting", color };
}

function stageFacts(): { element: HTMLElement; render(state: AppState): void } {
  const time = h("span", { "data-testid": "seconds", "data-seconds": 0 });
  const safetyWord = h("span", {});
  const safety = h("p", { class: "fact safety", "data-testid": "safety" }, icon("shield"), safetyWord);
  const element = h(
    "div",
    { class: "facts" },
    h("p", { class: "fact" }, icon("clock"), h("span", { class: "visually-hidden" }, "Time used: "), time),
    safety,
  );
  const render = ({ view }: AppState): void => {
    setText(time, clock(view.seconds));
    setAttributes(time, { "data-seconds": view.seconds, title: duration(view.seconds) });
    const { short, long } = SAFETY_WORDS[view.safety];
    setText(safetyWord, short);
    setAttributes(safety, { "data-state": view.safety, title: long, "aria-label": long });
  };
  return { element, render };
}

// What one can ask, for as long as nothing has been asked.
function askChips(app: App): { element: HTMLElement; render(state: AppState, agent: AgentView | null): void } {
  const element = h("div", { class: "chips", role: "group", "aria-label": "Things to ask" });
  let shown: AgentView | null = null;
  const render = (state: AppState, agent: AgentView | null): void => {
    const asked = state.view.captions.some(({ role }) => role === "user");
    show(element, state.call.phase.kind === "connected" && !asked);
    if (agent === null || agent === shown) return;
    shown = agent;
    const chips = agent.suggestions.slice(0, 4).map((each) =>
      button({ class: "chip" }, () => app.type(each), each),
    );
    element.replaceChildren(...chips);
  };
  return { element, render };
}

function timesPanel(): { element: HTMLElement; panel: WaterfallPanel } {
  const panel = new WaterfallPanel();
  const wide = matchMedia(`(min-width: ${WIDE_PX}px)`);
  const element = h(
    "details",
    { class: "times", open: wide.matches },
    h("summary", { class: "times-title" }, h("h2", {}, "Response times"), icon("chevron")),
    panel.element,
  );
  wide.addEventListener("change", () => {
    element.open = wide.matches;
  });
  return { element, panel };
}

function shortcutsCard(): HTMLElement {
  const keys: [string[], string][] = [
    [["M"], "mute"],
    [["T"], "type"],
    [["Esc"], "stop the agent"],
    [["Shift", "H"], "hang up"],
  ];
  const items = keys.map(([names, does]) =>
    h("li", {}, h("span", { class: "keys" }, ...names.map((each) => h("kbd", {}, each))), does),
  );
  return h("ul", { class: "shortcuts", "aria-label": "Keyboard shortcuts" }, ...items);
}
