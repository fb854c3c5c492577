// Speaks to screen readers, and only what is final.

import type { AppState } from "../app";
import { isSettled, wordsOf } from "../captions";
import { connectionWords } from "../wording";
import { h } from "./dom";

/** Lines kept in the live region. */
const LINES_MAX = 6;

/** A polite live region with what was said and how the connection changed. */
export class Announcer {
  readonly element = h("div", { class: "visually-hidden", "aria-live": "polite", "data-testid": "announcer" });
  readonly #said = new Set<string>();
  #session: string | null = null;
  #phase = "idle";

  /** Announces what is new. */
  render(state: AppState, agentName: string): void {
    const { view, call } = state;
    if (view.session !== this.#session) {
      this.#session = view.session;
      this.#said.clear();
    }
    if (call.phase.kind !== this.#phase) {
      this.#phase = call.phase.kind;
      if (this.#phase !== "idle") this.#say(connectionWords(call));
    }
    for (const caption of view.captions) {
      const key = `${caption.role}-${caption.turn}`;
      if (!isSettled(caption) || this.#said.has(key)) continue;
      this.#said.add(key);
      this.#say(`${caption.role === "user" ? "You" : agentName}: ${wordsOf(caption)}`);
    }
  }

  #say(text: string): void {
    this.element.append(h("p", {}, text));
    while (this.element.childElementCount > LINES_MAX) this.element.firstElementChild?.remove();
  }
}
