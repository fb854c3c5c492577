// The line at the top: the name, the connection, the colours.

import type { App, AppState } from "../app";
import { applyTheme, isDark, recallTheme } from "../prefs";
import { connectionWords } from "../wording";
import { button, h, setAttributes, setText } from "./dom";
import { icon, logo } from "./icons";

/** The header. */
export function header(app: App): HTMLElement {
  const word = h("span", { class: "pill-text" });
  const pill = h(
    "p",
    { class: "pill connection", "data-testid": "connection", "data-state": "idle" },
    h("span", { class: "dot", "aria-hidden": "true" }),
    h("span", { class: "visually-hidden" }, "Connection: "),
    word,
  );
  app.subscribe((state) => {
    const noServer = !state.inCall && state.agentsTrouble !== null;
    setText(word, noServer ? "No server" : connectionWords(state.call));
    setAttributes(pill, { "data-state": state.call.phase.kind, "data-unsteady": isUnsteady(state) });
  });
  const brand = h("p", { class: "brand" }, logo(), "Antiphon");
  return h("header", { class: "header" }, brand, h("div", { class: "header-end" }, pill, themeButton()));
}

function isUnsteady({ call: { phase } }: AppState): boolean {
  return phase.kind === "connected" && phase.unsteadySinceMs !== null;
}

function themeButton(): HTMLButtonElement {
  const element = button({ class: "icon-button", "data-testid": "theme" }, () => {
    applyTheme(isDark(recallTheme()) ? "light" : "dark");
    draw();
  });
  const draw = (): void => {
    const dark = isDark(recallTheme());
    element.replaceChildren(icon(dark ? "sun" : "moon"));
    const label = dark ? "Use light colours" : "Use dark colours";
    setAttributes(element, { "aria-label": label, title: label });
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
  return element;
}
