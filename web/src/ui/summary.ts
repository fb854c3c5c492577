// The screen after a call: what it came to, what was said, and calling again.

import type { App, AppState } from "../app";
import { clock, duration, latency } from "../format";
import { type TranscriptLine, transcriptFileName, transcriptLines, transcriptText, turnsSaid } from "../transcript";
import { endWords } from "../wording";
import type { AgentView } from "../wire";
import { avatar, paint } from "./avatar";
import { agentOf } from "./call_screen";
import { button, h, setText, show } from "./dom";
import { icon } from "./icons";
import { medianLatencyMs, WaterfallPanel } from "./waterfall_chart";

/** The screen. */
export function summaryScreen(app: App): HTMLElement {
  const face = h("div", { class: "summary-face" });
  const title = h("h1", { class: "summary-title", tabindex: -1 });
  const text = h("p", { class: "lead" });
  const facts = h("dl", { class: "figures" });
  const lines = h("ol", { class: "transcript", "data-testid": "transcript" });
  const panel = new WaterfallPanel();
  const times = h("div", { class: "paper" }, h("div", { class: "paper-head" }, h("h2", {}, "Response times")), panel.element);
  const againWord = h("span", {});
  const again = button({ class: "call-button", "data-testid": "call-again" }, () => app.call(), icon("phone"), againWord);
  const other = button({ class: "quiet-button", "data-testid": "other-agent" }, () => app.backToAgents(), "Choose another agent");
  const download = button(
    { class: "quiet-button", "data-testid": "download-transcript" },
    () => save(app.state),
    icon("download"),
    "Download transcript",
  );
  const element = h(
    "section",
    { class: "summary", "aria-label": "After the call" },
    h("div", { class: "summary-head" }, face, title, text, h("div", { class: "summary-acts" }, again, other), facts),
    h(
      "div",
      { class: "summary-body" },
      h("div", { class: "paper" }, h("div", { class: "paper-head" }, h("h2", {}, "Transcript"), download), lines),
      times,
    ),
  );
  app.subscribe((state) => {
    if (state.call.phase.kind !== "ended") return;
    const agent = agentOf(state);
    const name = agentNameOf(state, agent);
    const { cause, detail } = state.call.phase;
    const words = endWords(cause, detail, name, state.view.captions.length > 0);
    paint(element, agent);
    face.replaceChildren(...(agent === null ? [] : [avatar(agent)]));
    setText(title, words.title);
    setText(text, words.text);
    setText(againWord, `Call ${name} again`);
    facts.replaceChildren(...figures(state));
    lines.replaceChildren(...transcriptItems(transcriptLines(state.view.captions, name)));
    panel.render(state.view.timelines);
    show(times, state.view.timelines.length > 0);
  });
  return element;
}

/** The agent's name in the current or last call. */
export function agentNameOf(state: AppState, agent: AgentView | null): string {
  return state.view.agentName ?? agent?.name ?? "the agent";
}

function figures({ view }: AppState): HTMLElement[] {
  const typical = medianLatencyMs(view.timelines);
  return [
    figure("Talk time", clock(view.seconds), duration(view.seconds)),
    figure("Turns", String(turnsSaid(view.captions)), null),
    figure("Median answer", typical === null ? "–" : latency(typical), "From your last word to the first sound"),
  ];
}

function figure(name: string, value: string, title: string | null): HTMLElement {
  return h("div", { class: "figure", title }, h("dt", {}, name), h("dd", {}, value));
}

function transcriptItems(lines: TranscriptLine[]): HTMLElement[] {
  if (lines.length === 0) return [h("li", { class: "muted" }, "Nothing was said.")];
  return lines.map(({ atMs, speaker, role, text, interrupted }) =>
    h(
      "li",
      { class: role },
      h("time", {}, clock(atMs / 1_000)),
      h("p", { dir: "auto" }, h("b", {}, speaker), text, interrupted ? h("span", { class: "mark" }, "you cut in") : null),
    ),
  );
}

function save(state: AppState): void {
  const agent = agentOf(state);
  const { view, startedAt } = state;
  const head = {
    agentName: agentNameOf(state, agent),
    agentTitle: agent?.title ?? null,
    session: view.session,
    startedAt,
    seconds: view.seconds,
  };
  const file = new Blob([transcriptText(head, view.captions)], { type: "text/plain;charset=utf-8" });
  const url = URL.createObjectURL(file);
  h("a", { href: url, download: transcriptFileName(agent?.id ?? "call", startedAt) }).click();
  // Freed after the browser has begun the download, which it does in a later task.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
