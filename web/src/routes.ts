// The report on providers: latency, errors, cost and quality of each over the last hours.

import "./styles/base.css";
import "./styles/routes.css";
import { applyTheme, recallTheme } from "./prefs";
import { h, must, s } from "./ui/dom";

/** One minute of a provider's work. */
interface Minute {
  minutes_ago: number;
  asked: number;
  failed: number;
  first_ms_p50: number;
  first_ms_p95: number;
  spent_usd: number;
  quality: number | null;
}

/** A provider as `GET /v1/mirror/routes` tells of it. */
interface Provider {
  id: string;
  stage: "hear" | "think" | "speak";
  region: string;
  breaker: "closed" | "open" | "half_open";
  asked: number;
  failed: number;
  error_rate: number;
  first_ms_p50: number;
  first_ms_p95: number;
  quality: number | null;
  spent_usd: number;
  typical_usd: number | null;
  last_fault: string | null;
  minutes: Minute[];
}

const REFRESH_MS = 5_000;
const MINUTES_SHOWN = 60;
const CHART = { width: 240, height: 56 };
const STAGES: Record<Provider["stage"], string> = { hear: "Hearing", think: "Thinking", speak: "Speaking" };
const BREAKERS: Record<Provider["breaker"], string> = {
  closed: "in use",
  open: "left alone after failures",
  half_open: "being tried again",
};

applyTheme(recallTheme());
const root = must(document.querySelector<HTMLElement>("#routes"), "#routes");
const state = h("p", { class: "routes-state", role: "status" }, "Loading…");
const list = h("div", { class: "routes-list" });
root.append(h("h1", {}, "Providers"), state, list);

async function refresh(): Promise<void> {
  try {
    const answer = await fetch("/v1/mirror/routes");
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const { providers } = (await answer.json()) as { providers: Provider[] };
    show(providers);
    state.textContent = `As of ${new Date().toLocaleTimeString()}. Charts show the last hour.`;
  } catch (fault) {
    state.textContent = `The report cannot be fetched: ${fault instanceof Error ? fault.message : fault}. Trying again.`;
  }
  setTimeout(() => void refresh(), REFRESH_MS);
}

function show(providers: Provider[]): void {
  const stages = (Object.keys(STAGES) as Provider["stage"][]).map((stage) => {
    const of = providers.filter((each) => each.stage === stage);
    return h("section", {}, h("h2", {}, STAGES[stage]), ...of.map(card));
  });
  list.replaceChildren(...stages);
}

function card(provider: Provider): HTMLElement {
  const name = provider.id.replace(/\/$/, "");
  const facts: [string, string][] = [
    ["Requests", `${provider.asked}, failed ${provider.failed}`],
    ["First output", provider.first_ms_p50 > 0 ? `${ms(provider.first_ms_p50)}, p95 ${ms(provider.first_ms_p95)}` : "not measured"],
    ["Quality", provider.quality === null ? "not judged" : `${Math.round(provider.quality * 100)} of 100`],
    ["Spent", usd(provider.spent_usd)],
    ["A typical piece", provider.typical_usd === null ? "price unknown" : usd(provider.typical_usd)],
    ["Where", provider.region === "" ? "unknown" : provider.region],
  ];
  if (provider.last_fault !== null) facts.push(["Last fault", provider.last_fault.replace("_", " ")]);
  return h(
    "article",
    { class: `route route-${provider.breaker}`, "data-testid": `route-${name}` },
    h("header", {}, h("h3", {}, name), h("span", { class: "route-breaker" }, BREAKERS[provider.breaker])),
    h("dl", {}, ...facts.flatMap(([term, fact]) => [h("dt", {}, term), h("dd", {}, fact)])),
    chart("First output, ms", provider.minutes, (minute) => minute.first_ms_p50, ms),
    chart("Failures", provider.minutes, (minute) => minute.failed, String),
    chart("Spent", provider.minutes, (minute) => minute.spent_usd, usd),
  );
}

/** Bars, one a minute, newest on the right; what cannot be seen is said. */
function chart(
  title: string,
  minutes: Minute[],
  value: (minute: Minute) => number,
  say: (value: number) => string,
): HTMLElement {
  const shown = minutes.filter((minute) => minute.minutes_ago < MINUTES_SHOWN);
  const top = Math.max(...shown.map(value), 0);
  const step = CHART.width / MINUTES_SHOWN;
  const bars = shown.map((minute) => {
    const height = top > 0 ? (value(minute) / top) * CHART.height : 0;
    return s("rect", {
      x: CHART.width - (minute.minutes_ago + 1) * step,
      y: CHART.height - height,
      width: Math.max(step - 1, 1),
      height,
    });
  });
  const most = `most ${say(top)}`;
  return h(
    "figure",
    {},
    h("figcaption", {}, title, " ", h("span", {}, most)),
    svg(`${title} by the minute over the last hour; ${most}`, bars),
  );
}

function svg(label: string, bars: SVGElement[]): Node {
  const attributes = {
    viewBox: `0 0 ${CHART.width} ${CHART.height}`,
    // As wide as its card.
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": label,
  };
  return s("svg", attributes, ...bars);
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

function usd(value: number): string {
  if (value === 0) return "$0";
  return value < 0.01 ? `$${value.toPrecision(2)}` : `$${value.toFixed(2)}`;
}

void refresh();
