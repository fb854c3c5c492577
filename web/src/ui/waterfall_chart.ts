// The waterfall of each turn: a picture for the eyes, a table for screen readers.

import { latency, median } from "../format";
import { axisMs, type Stage, turnLatencyMs, type Waterfall, waterfall } from "../waterfall";
import type { TurnTimeline } from "../wire";
import { h, s, setText, show } from "./dom";

/** Turns shown, newest first. */
export const TURNS_SHOWN_MAX = 30;

/** Scale of the small pictures, milliseconds, unless a turn is longer. */
const STRIP_MS_MIN = 1_000;
const WIDTH = 300;
const ROW = 26;
const LABEL = 112;
const VALUE = 56;

/** The panel with the waterfalls of a call. */
export class WaterfallPanel {
  readonly #list = h("ol", { class: "turns", reversed: true });
  readonly #empty = h("p", { class: "muted" }, "After each answer you see here where its time went.");
  readonly #median = h("span", { class: "panel-value" });
  readonly element = h(
    "div",
    { class: "waterfall", "data-testid": "waterfall" },
    h("p", { class: "panel-lead" }, "From your last word to the first sound", this.#median),
    this.#empty,
    this.#list,
  );
  readonly #items = new Map<TurnTimeline, HTMLLIElement>();
  #shown: TurnTimeline[] | null = null;

  /** Shows the turns of a call. The newest is open. */
  render(timelines: TurnTimeline[]): void {
    if (timelines === this.#shown) return;
    this.#shown = timelines;
    const typical = medianLatencyMs(timelines);
    setText(this.#median, typical === null ? "" : `median ${latency(typical)}`);
    show(this.#empty, timelines.length === 0);
    const wanted = new Set(timelines.slice(-TURNS_SHOWN_MAX));
    for (const [timeline, item] of this.#items) {
      if (wanted.has(timeline)) continue;
      item.remove();
      this.#items.delete(timeline);
    }
    for (const timeline of wanted) {
      if (this.#items.has(timeline)) continue;
      this.#closeAllBut(document.activeElement);
      const item = turnItem(waterfall(timeline));
      this.#items.set(timeline, item);
      this.#list.prepend(item);
    }
  }

  // One open turn is enough, but never the one being looked at with the keyboard.
  #closeAllBut(focused: Element | null): void {
    for (const details of this.#list.querySelectorAll("details")) {
      if (!details.contains(focused)) details.open = false;
    }
  }
}

/** The median over turns of the time from the end of speech to the first audio; `null` for none. */
export function medianLatencyMs(timelines: TurnTimeline[]): number | null {
  // Turn 0 is the greeting: nobody had spoken yet.
  const answered = timelines.filter(({ turn }) => turn > 0);
  return median(answered.map(turnLatencyMs).filter((each) => each !== null));
}

function turnItem(turn: Waterfall): HTMLLIElement {
  const name = turn.turn === 0 ? "Greeting" : `Turn ${turn.turn}`;
  const axis = axisMs(turn.totalMs);
  const details = h(
    "details",
    { open: true, class: "turn" },
    h(
      "summary",
      {},
      h("span", { class: "turn-name" }, name),
      strip(turn),
      h("span", { class: "turn-total" }, latency(turn.totalMs)),
    ),
    chart(turn, axis),
    turn.reason === null ? null : h("p", { class: "reason" }, `Endpointing: ${turn.reason}`),
    turn.answeredBy === null ? null : h("p", { class: "reason" }, `Answered by ${turn.answeredBy}`),
    table(turn, name),
  );
  return h("li", { value: turn.turn }, details);
}

// Small pictures are compared with one another, so they share a scale as long as they can; the
// shorter of two overlapping bars is drawn last, on top.
function strip(turn: Waterfall): SVGSVGElement {
  const axis = axisMs(Math.max(turn.totalMs, STRIP_MS_MIN));
  const lengthMs = ({ startMs, endMs }: Stage): number => endMs - startMs;
  const bars = turn.stages.toSorted((a, b) => lengthMs(b) - lengthMs(a)).map((stage) =>
    s("rect", {
      class: `stage ${stage.key}`,
      x: (stage.startMs / axis) * 100,
      y: 0,
      width: Math.max(((stage.endMs - stage.startMs) / axis) * 100, 1),
      height: 6,
      rx: 1,
    }),
  );
  return s(
    "svg",
    { class: "strip", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
    ...bars,
  );
}

function chart(turn: Waterfall, axis: number): SVGSVGElement {
  const height = turn.stages.length * ROW + 20;
  const plot = WIDTH - LABEL - VALUE;
  const x = (ms: number): number => LABEL + (ms / axis) * plot;
  const ticks = [0, 0.5, 1].map((share) => {
    const at = x(axis * share);
    const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
    return s(
      "g",
      { class: "tick" },
      s("line", { x1: at, x2: at, y1: 2, y2: height - 16 }),
      s("text", { x: at, y: height - 3, "text-anchor": anchor }, tickLabel(axis * share)),
    );
  });
  return s(
    "svg",
    { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": "Stages of the turn" },
    ...ticks,
    ...turn.stages.map((stage, row) => stageRow(stage, row * ROW, x)),
  );
}

function stageRow(stage: Stage, y: number, x: (ms: number) => number): SVGGElement {
  const from = x(stage.startMs);
  return s(
    "g",
    { class: "stage-row", tabindex: 0, role: "img", "aria-label": stage.sentence },
    s("title", {}, stage.sentence),
    s("rect", { class: "hit", x: 0, y: y + 1, width: WIDTH, height: ROW - 2, rx: 6 }),
    s("text", { class: "stage-label", x: 4, y: y + ROW / 2 + 4 }, stage.label),
    s("rect", {
      class: `stage ${stage.key}`,
      x: from,
      y: y + 8,
      width: Math.max(x(stage.endMs) - from, 2.5),
      height: ROW - 16,
      rx: 2.5,
    }),
    s("text", { class: "stage-value", x: WIDTH - 4, y: y + ROW / 2 + 4, "text-anchor": "end" }, latency(stage.endMs)),
    s(
      "text",
      { class: "stage-took", x: WIDTH - 4, y: y + ROW / 2 + 4, "text-anchor": "end" },
      `+${latency(stage.endMs - stage.startMs)}`,
    ),
  );
}

function tickLabel(ms: number): string {
  return ms >= 1_000 ? `${Number((ms / 1_000).toFixed(2))} s` : `${ms} ms`;
}

function table(turn: Waterfall, name: string): HTMLElement {
  const rows = turn.stages.map(({ label, startMs, endMs }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, label),
      h("td", {}, latency(startMs)),
      h("td", {}, latency(endMs)),
      h("td", {}, latency(endMs - startMs)),
    ),
  );
  const head = ["Stage", "Began", "Done", "Took"].map((each) => h("th", { scope: "col" }, each));
  const table = h(
    "table",
    {},
    h("caption", {}, `${name}: times since the end of your words`),
    h("thead", {}, h("tr", {}, ...head)),
    h("tbody", {}, ...rows),
  );
  // A table is never narrower than its words, so it can not hide itself.
  return h("div", { class: "visually-hidden" }, table);
}
