// Live captions of both sides.

import type { AppState } from "../app";
import { type Caption, spoken } from "../captions";
import { clock } from "../format";
import { button, h, setAttributes, setText, show } from "./dom";
import { icon } from "./icons";

/** Distance from the end within which the list follows new words, pixels. */
const FOLLOW_PX = 80;

interface Row {
  element: HTMLElement;
  heard: HTMLElement;
  unheard: HTMLElement;
  mark: HTMLElement;
}

/** The list. */
export class CaptionList {
  readonly #log = h("div", {
    class: "captions",
    "data-testid": "captions",
    role: "log",
    // What is final is announced by `Announcer`, once; every partial would be noise.
    "aria-live": "off",
    "aria-label": "Captions",
    tabindex: 0,
  });
  readonly #empty = h("p", { class: "captions-empty" });
  readonly #jump = button(
    { class: "quiet-button jump", hidden: true },
    () => this.#log.scrollTo({ top: this.#log.scrollHeight }),
    icon("down"),
    "Latest words",
  );
  readonly #rows = new Map<string, Row>();
  /** The list and the button that leads to its end. */
  readonly element = h("div", { class: "captions-box" }, this.#log, this.#jump);

  // Kept from before a change of size, after which one cannot tell any more.
  #following = true;

  constructor() {
    this.#log.append(this.#empty);
    this.#log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#follow()).observe(this.#log);
  }

  /** Shows the captions of a call. */
  render(state: AppState, agentName: string): void {
    const { captions, agentState, userSpeaking } = state.view;
    // Speech over the agent pauses it; its words stay until it is clear whether it goes on.
    const mayGoOn = agentState !== "listening" || userSpeaking;
    const lastAgent = captions.findLast(({ role }) => role === "agent");
    const seen = new Set<string>();
    let before: Element = this.#empty;
    for (const [key, caption] of keyed(captions)) {
      const row = this.#rows.get(key) ?? newRow(caption, agentName);
      const current = caption === lastAgent && mayGoOn;
      if (!fill(row, caption, current)) continue;
      seen.add(key);
      this.#rows.set(key, row);
      if (before.nextElementSibling !== row.element) before.after(row.element);
      before = row.element;
    }
    for (const [key, row] of this.#rows) {
      if (seen.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
    }
    show(this.#empty, seen.size === 0);
    setText(this.#empty, state.call.phase.kind === "connected" ? "Say hello." : "The words of your call appear here.");
    // A call begins at its first words, wherever the one before was left.
    if (seen.size === 0) this.#following = true;
    this.#follow();
  }

  #scrolled(): void {
    this.#following = this.#atEnd();
    show(this.#jump, !this.#following);
  }

  #follow(): void {
    if (this.#following) this.#log.scrollTop = this.#log.scrollHeight;
    show(this.#jump, !this.#following);
  }

  #atEnd(): boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.#log;
    return scrollHeight - scrollTop - clientHeight < FOLLOW_PX;
  }
}

function* keyed(captions: Caption[]): Generator<[string, Caption]> {
  const counts = new Map<string, number>();
  for (const caption of captions) {
    const base = `${caption.role}-${caption.turn}`;
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    yield [`${base}-${count}`, caption];
  }
}

function newRow(caption: Caption, agentName: string): Row {
  const heard = h("span", { class: "heard" });
  const unheard = h("span", { class: "unheard" });
  const mark = h("span", { class: "mark", hidden: true }, "you cut in");
  const speaker = caption.role === "user" ? "You" : agentName;
  const element = h(
    "div",
    { class: `caption ${caption.role}`, "data-testid": `caption-${caption.role}`, "data-turn": caption.turn },
    h("p", { class: "caption-head" }, h("span", { class: "speaker" }, speaker), h("time", {}, clock(caption.atMs / 1_000))),
    h("p", { class: "caption-text", dir: "auto" }, heard, unheard, mark),
  );
  return { element, heard, unheard, mark };
}

/** Fills a row; false where there is nothing to show. */
function fill(row: Row, caption: Caption, current: boolean): boolean {
  if (caption.role === "user") {
    setText(row.heard, caption.text);
    setAttributes(row.element, { "data-final": String(caption.final) });
    return true;
  }
  const { heard, unheard } = spoken(caption, current);
  setText(row.heard, heard);
  setText(row.unheard, unheard);
  show(row.mark, caption.interrupted);
  setAttributes(row.element, { "data-final": String(caption.committed !== null) });
  return heard !== "" || unheard !== "";
}
