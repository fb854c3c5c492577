// An agent's face: its emoji, or its initial where this device has no emoji font.

import type { AgentView } from "../wire";
import { buttonColors, safeColor } from "./colors";
import { h, setVariable } from "./dom";

/** An avatar in the agent's colour. Decoration: the name stands beside it. */
export function avatar(agent: AgentView): HTMLElement {
  const drawn = hasEmoji(agent.emoji) ? agent.emoji : agent.name.slice(0, 1).toUpperCase();
  const element = h("span", { class: "avatar", "aria-hidden": "true" }, drawn);
  paint(element, agent);
  return element;
}

/** Gives an element the agent's colours: `--accent`, and for buttons `--accent-strong` with `--on-accent`. */
export function paint(element: HTMLElement, agent: AgentView | null): void {
  const color = safeColor(agent?.color ?? "");
  setVariable(element, "--accent", color);
  const { ground, text } = buttonColors(color);
  setVariable(element, "--accent-strong", ground);
  setVariable(element, "--on-accent", text);
}

const emojiKnown = new Map<string, boolean>();

// A coloured glyph leaves coloured pixels although the ink is black; a missing one does not.
function hasEmoji(emoji: string): boolean {
  const known = emojiKnown.get(emoji);
  if (known !== undefined) return known;
  const canvas = h("canvas", { width: 24, height: 24 });
  const ink = canvas.getContext("2d", { willReadFrequently: true });
  if (ink === null || emoji === "") return false;
  ink.font = "18px sans-serif";
  ink.fillText(emoji, 0, 18);
  const { data } = ink.getImageData(0, 0, 24, 24);
  let colored = false;
  for (let at = 0; at < data.length; at += 4) {
    colored ||= data[at] !== data[at + 1] || data[at + 1] !== data[at + 2];
  }
  emojiKnown.set(emoji, colored);
  return colored;
}
