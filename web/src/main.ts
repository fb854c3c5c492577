// The page: wires state, screens and browser events together.

import "./styles/base.css";
import "./styles/picker.css";
import "./styles/call.css";
import "./styles/narrow.css";
import "./styles/waterfall.css";
import "./styles/summary.css";
import { App, type AppState } from "./app";
import { CallAudio } from "./audio";
import { clock } from "./format";
import { applyTheme, recallTheme } from "./prefs";
import { bindShortcuts } from "./shortcuts";
import { agentPicker } from "./ui/agent_picker";
import { Announcer } from "./ui/announcer";
import { agentOf, callScreen } from "./ui/call_screen";
import { h, must } from "./ui/dom";
import { header } from "./ui/header";
import { noticeBar } from "./ui/notice_bar";
import { agentNameOf, summaryScreen } from "./ui/summary";

applyTheme(recallTheme());

const voice = h("audio", { autoplay: true, playsinline: true });
const audio = new CallAudio(voice, (locked) => app.audioLocked(locked));
const app: App = new App(audio);

const picker = agentPicker(app);
const call = callScreen(app, audio);
const summary = summaryScreen(app);
const announcer = new Announcer();
const main = h("main", {});

must(document.getElementById("app"), "#app").replaceChildren(
  header(app),
  noticeBar(app),
  main,
  announcer.element,
  voice,
);

let screenBefore: HTMLElement | null = null;
app.subscribe((state) => {
  const screen = screenOf(state);
  if (screen !== screenBefore) main.replaceChildren(screen);
  document.body.dataset["screen"] = screen === picker ? "picker" : screen === summary ? "summary" : "call";
  const name = agentNameOf(state, agentOf(state));
  announcer.render(state, name);
  document.title = titleOf(state, name);
  if (screenBefore !== null && screen !== screenBefore) enter(screen);
  screenBefore = screen;
});

bindShortcuts(app, call.controls.focusText);
window.addEventListener("pagehide", () => app.abandon());
window.addEventListener("online", () => app.networkBack());
void app.loadAgents();

function screenOf(state: AppState): HTMLElement {
  if (!state.inCall) return picker;
  return state.call.phase.kind === "ended" ? summary : call.element;
}

// A screen that vanishes takes the focus with it; the new one says where one is.
function enter(screen: HTMLElement): void {
  window.scrollTo({ top: 0 });
  const first = screen === summary ? "h1" : screen === picker ? "[aria-checked=true]" : null;
  if (first !== null) screen.querySelector<HTMLElement>(first)?.focus({ preventScroll: true });
}

function titleOf({ call: { phase }, view }: AppState, name: string): string {
  if (phase.kind === "connected") return `${clock(view.seconds)} ${name} – Antiphon`;
  if (phase.kind === "connecting" || phase.kind === "reconnecting") return `${name} … – Antiphon`;
  return "Antiphon";
}
