// The first screen: who is there, and the button that calls them.

import type { App, AppState } from "../app";
import type { AgentId, AgentView } from "../wire";
import { avatar, paint } from "./avatar";
import { button, h, setAttributes, setText } from "./dom";
import { icon } from "./icons";

const LEAD =
  "Choose an agent and call. Speak as you would on the phone, interrupt whenever you like, or type.";
/** Cards drawn while the agents load. */
const PLACEHOLDERS = 5;

/** The screen. */
export function agentPicker(app: App): HTMLElement {
  const group = h("div", { class: "cards", role: "radiogroup", "aria-label": "Agents" });
  const bar = callBar(app);
  const screen = h(
    "section",
    { class: "picker", "aria-labelledby": "picker-title" },
    h(
      "div",
      { class: "hero" },
      h("h1", { id: "picker-title" }, "Who would you like to talk to?"),
      h("p", { class: "lead" }, LEAD),
    ),
    group,
    bar.element,
  );
  group.append(...Array.from({ length: PLACEHOLDERS }, () => h("div", { class: "card placeholder", "aria-hidden": "true" })));
  let shown: AgentView[] | null = null;
  const cards = new Map<AgentId, HTMLElement>();
  app.subscribe((state) => {
    if (state.agents !== null && state.agents !== shown) {
      shown = state.agents;
      cards.clear();
      for (const agent of shown) cards.set(agent.id, card(app, agent));
      group.replaceChildren(...cards.values());
    }
    for (const [id, element] of cards) {
      const chosen = id === state.selected;
      setAttributes(element, { "aria-checked": chosen ? "true" : "false", tabindex: chosen ? 0 : -1 });
    }
    bar.render(state);
  });
  group.addEventListener("keydown", (event) => moveChoice(app, cards, event));
  return screen;
}

function card(app: App, agent: AgentView): HTMLElement {
  const element = button(
    { class: "card", role: "radio", "data-testid": `agent-card-${agent.id}` },
    () => app.select(agent.id),
    avatar(agent),
    h(
      "span",
      { class: "card-words" },
      h("span", { class: "card-name" }, agent.name),
      h("span", { class: "card-title" }, agent.title),
      h("span", { class: "card-tagline" }, agent.tagline),
    ),
  );
  element.addEventListener("dblclick", () => app.call());
  paint(element, agent);
  return element;
}

// Arrow keys choose, as in any group of radio buttons.
function moveChoice(app: App, cards: Map<AgentId, HTMLElement>, event: KeyboardEvent): void {
  const ids = [...cards.keys()];
  const at = ids.indexOf(app.state.selected ?? "");
  const moves: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const move = moves[event.key];
  const next = move === undefined ? undefined : ids[(at + move + ids.length) % ids.length];
  if (next === undefined) return;
  event.preventDefault();
  app.select(next);
  cards.get(next)?.focus();
}

interface CallBar {
  element: HTMLElement;
  render(state: AppState): void;
}

function callBar(app: App): CallBar {
  const asks = h("ul", { class: "asks" });
  const asksTitle = h("h2", { class: "asks-title" });
  const word = h("span", {}, "Call");
  const call = button({ class: "call-button", "data-testid": "call" }, () => app.call(), icon("phone"), word);
  const hint = h("p", { class: "call-hint" }, "No account needed. Your browser will ask for the microphone.");
  const element = h(
    "div",
    { class: "call-bar", "data-empty": true },
    h("div", { class: "asks-box" }, asksTitle, asks),
    h("div", { class: "call-box" }, call, hint),
  );
  let shown: AgentView | null = null;
  const render = ({ agents, selected }: AppState): void => {
    const agent = agents?.find(({ id }) => id === selected) ?? null;
    // It keeps its room while the agents load, so that nothing jumps when they are there.
    setAttributes(element, { "data-empty": agent === null });
    if (agent === null || agent === shown) return;
    shown = agent;
    paint(element, agent);
    setText(word, `Call ${agent.name}`);
    setText(asksTitle, `Ask ${agent.name}`);
    asks.replaceChildren(...agent.suggestions.slice(0, 3).map((each) => h("li", {}, `“${each}”`)));
  };
  return { element, render };
}
