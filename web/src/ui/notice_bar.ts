// Notices: what the person should know now, with what can be done about it.

import type { App } from "../app";
import { type Notice, type NoticeAction, noticesOf } from "../wording";
import { button, h, setText, show } from "./dom";

interface Row {
  element: HTMLElement;
  text: HTMLElement;
  countdown: HTMLElement;
  untilMs: number | null;
}

/** The notices. A screen reader hears each once; the countdown is for the eyes. */
export function noticeBar(app: App): HTMLElement {
  const bar = h("div", { class: "notices", "data-testid": "notice", role: "status" });
  const rows = new Map<string, Row>();
  const render = (notices: Notice[]): void => {
    for (const [key, row] of rows) {
      if (notices.some((each) => each.key === key)) continue;
      row.element.remove();
      rows.delete(key);
    }
    for (const notice of notices) {
      const row = rows.get(notice.key) ?? newRow(app, notice);
      if (!rows.has(notice.key)) bar.append(row.element);
      rows.set(notice.key, row);
      setText(row.text, notice.text);
      row.untilMs = notice.untilMs;
      count(row);
    }
    show(bar, rows.size > 0);
  };
  app.subscribe((state) => render(noticesOf(state)));
  setInterval(() => rows.forEach(count), 250);
  return bar;
}

function newRow(app: App, notice: Notice): Row {
  const text = h("span", { class: "notice-text" });
  const countdown = h("span", { class: "countdown", "aria-hidden": "true", "data-testid": "countdown" });
  const { action } = notice;
  const act =
    action === null ? null : button({ class: "quiet-button" }, () => run(app, action.does), action.label);
  const element = h("div", { class: `notice ${notice.tone}`, "data-key": notice.key }, text, countdown, act);
  return { element, text, countdown, untilMs: notice.untilMs };
}

function count({ countdown, untilMs }: Row): void {
  const leftMs = untilMs === null ? null : Math.max(0, untilMs - performance.now());
  setText(countdown, leftMs === null ? "" : `${Math.ceil(leftMs / 1_000)} s left`);
  show(countdown, leftMs !== null);
}

function run(app: App, does: NoticeAction): void {
  switch (does) {
    case "retry_microphone":
      void app.chooseMicrophone(app.state.microphone === "unplugged" ? null : app.state.microphoneId);
      return;
    case "skip_microphone":
      app.skipMicrophone();
      return;
    case "play_sound":
      app.unlockAudio();
      return;
  }
}
