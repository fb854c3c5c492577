// A level meter.

import { meterFill, SILENCE_DB } from "../levels";
import { h, setAttributes, setVariable } from "./dom";

/** A horizontal meter for levels in dBFS. */
export class Meter {
  readonly #fill = h("span", { class: "meter-fill" });
  readonly #bar: HTMLElement;
  readonly element: HTMLElement;

  constructor(label: string, testId: string) {
    this.#bar = h(
      "span",
      {
        class: "meter-bar",
        role: "meter",
        "aria-label": `${label}, level`,
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        "aria-valuenow": 0,
        "data-testid": testId,
        "data-db": SILENCE_DB,
      },
      this.#fill,
    );
    this.element = h("div", { class: "meter" }, h("span", { class: "meter-label" }, label), this.#bar);
  }

  /** Shows a level, dBFS. */
  set(db: number): void {
    const fill = meterFill(db);
    this.#bar.setAttribute("data-db", db.toFixed(1));
    setAttributes(this.#bar, { "aria-valuenow": Math.round(fill * 100) });
    setVariable(this.#fill, "--fill", fill.toFixed(3));
  }
}
