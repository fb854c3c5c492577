// The controls of a call: typing, mute, volume, microphone, hang up.

import type { App, AppState } from "../app";
import { isLive } from "../call";
import { button, h, setAttributes, setText, show } from "./dom";
import { icon } from "./icons";

/** Longest typed turn, characters; the server refuses more. */
const TEXT_MAX = 2_000;

/** The controls at the foot of a call. */
export interface Controls {
  element: HTMLElement;
  render(state: AppState, agentName: string): void;
  /** Puts the cursor into the text field. */
  focusText(): void;
}

/** The controls. */
export function controls(app: App): Controls {
  const composer = textForm(app);
  const mute = muteButton(app);
  const hangUp = button(
    { class: "round-button hang-up", "data-testid": "hang-up", "aria-keyshortcuts": "Shift+H" },
    () => app.hangUp(),
    icon("hangUp"),
    h("span", {}, "Hang up"),
  );
  const picker = microphonePicker(app);
  const row = h("div", { class: "control-row" }, mute.element, picker.element, volume(app), hangUp);
  const element = h("div", { class: "controls" }, composer.element, row);
  const render = (state: AppState, agentName: string): void => {
    composer.render(state, agentName);
    mute.render(state);
    picker.render(state);
  };
  return { element, render, focusText: composer.focus };
}

interface Part {
  element: HTMLElement;
  render(state: AppState): void;
}

interface Composer {
  element: HTMLElement;
  render(state: AppState, agentName: string): void;
  focus(): void;
}

function textForm(app: App): Composer {
  const field = h("input", {
    class: "type-input",
    "data-testid": "type-input",
    type: "text",
    maxlength: TEXT_MAX,
    autocomplete: "off",
    enterkeyhint: "send",
    "aria-label": "Type instead of talking",
    "aria-keyshortcuts": "T",
  });
  const send = h(
    "button",
    { class: "send-button", type: "submit", "data-testid": "type-send", "aria-label": "Send", title: "Send" },
    icon("send"),
  );
  const element = h("form", { class: "composer" }, field, send);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    if (app.type(field.value)) field.value = "";
    field.focus();
  });
  const render = ({ call }: AppState, agentName: string): void => {
    const connected = call.phase.kind === "connected";
    // The field stays usable while the line is down: what is typed then can be sent afterwards.
    send.disabled = !connected;
    setAttributes(field, { placeholder: connected ? `Type to ${agentName}` : "You can type as soon as the call is connected" });
  };
  return { element, render, focus: () => field.focus() };
}

function muteButton(app: App): Part {
  const word = h("span", {}, "Mute");
  const sign = h("span", { class: "icon-slot" }, icon("mic"));
  const element = button(
    { class: "round-button", "data-testid": "mute", "aria-pressed": "false", "aria-keyshortcuts": "M" },
    () => app.toggleMute(),
    sign,
    word,
  );
  let drawn: boolean | null = null;
  const render = ({ microphone, muted }: AppState): void => {
    const available = microphone === "on";
    element.disabled = !available;
    setAttributes(element, { "aria-pressed": available && muted ? "true" : "false" });
    setText(word, !available ? "No mic" : muted ? "Unmute" : "Mute");
    const off = muted || !available;
    if (off !== drawn) sign.replaceChildren(icon(off ? "micOff" : "mic"));
    drawn = off;
  };
  return { element, render };
}

function microphonePicker(app: App): Part {
  const select = h("select", { "aria-label": "Microphone", "data-testid": "microphone" });
  const element = h("label", { class: "select-box", title: "Microphone" }, select, icon("chevron"));
  select.addEventListener("change", () => void app.chooseMicrophone(select.value));
  let shown: AppState["microphones"] = [];
  const render = (state: AppState): void => {
    const { microphones, microphoneId } = state;
    show(element, microphones.length > 1 && isLive(state.call));
    if (microphones === shown) return;
    shown = microphones;
    select.replaceChildren(...microphones.map(({ id, label }) => h("option", { value: id }, label)));
    select.value = microphoneId ?? microphones[0]?.id ?? "";
  };
  return { element, render };
}

function volume(app: App): HTMLElement {
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 100,
    step: 5,
    value: Math.round(app.state.volume * 100),
    "aria-label": "Volume of the agent",
    "data-testid": "volume",
  });
  slider.addEventListener("input", () => app.setVolume(Number(slider.value) / 100));
  return h("label", { class: "volume", title: "Volume of the agent" }, icon("volume"), slider);
}
