// Keys that act during a call. They are shown on the call screen.

import type { App } from "./app";
import { isLive } from "./call";

/** What a key does, or `null`. Keys typed into a field, or with Ctrl, Alt or Meta, are not ours. */
export type Shortcut = "mute" | "type" | "interrupt" | "leave_field" | "hang_up";

/** The part of a key press that matters. */
export interface KeyPress {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  repeat: boolean;
}

/** What a key press means; `inField` where the focus is in a text field. */
export function shortcutOf(press: KeyPress, inField: boolean): Shortcut | null {
  if (press.ctrlKey || press.altKey || press.metaKey || press.repeat) return null;
  if (press.key === "Escape") return inField ? "leave_field" : "interrupt";
  if (inField) return null;
  const key = press.key.toLowerCase();
  if (press.shiftKey) return key === "h" ? "hang_up" : null;
  if (key === "m") return "mute";
  return key === "t" ? "type" : null;
}

/** Listens for the shortcuts. */
export function bindShortcuts(app: App, focusText: () => void): void {
  document.addEventListener("keydown", (event) => {
    if (!isLive(app.state.call)) return;
    const field = event.target instanceof Element ? event.target.closest("input[type=text], select") : null;
    const shortcut = shortcutOf(event, field !== null);
    if (shortcut === null) return;
    // The key must not also be typed into the field that it brings up.
    event.preventDefault();
    if (shortcut === "mute") app.toggleMute();
    else if (shortcut === "type") focusText();
    else if (shortcut === "interrupt") app.interrupt();
    else if (shortcut === "hang_up") app.hangUp();
    else if (field instanceof HTMLElement) field.blur();
  });
}
