// Icons, 24 by 24, drawn with the text's colour. Decoration only: names are on the controls.

import { s } from "./dom";

const PATHS = {
  phone:
    "M6.6 3.5h2.6l1.6 4.3-2 1.5a12 12 0 0 0 5.9 5.9l1.5-2 4.3 1.6v2.6a2 2 0 0 1-2.2 2A16.6 16.6 0 0 1 4.6 5.7a2 2 0 0 1 2-2.2Z",
  hangUp:
    "M3.2 14.9c5-4.6 12.6-4.6 17.6 0 .5.5.5 1.2.1 1.7l-1.5 1.6c-.4.5-1.1.5-1.6.2l-2.6-1.7a1.3 1.3 0 0 1-.5-1.3l.3-1.4a11.5 11.5 0 0 0-6 0l.3 1.4c.1.5-.1 1-.5 1.3l-2.6 1.7c-.5.3-1.2.3-1.6-.2l-1.5-1.6a1.2 1.2 0 0 1 .1-1.7Z",
  mic: "M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M9 21h6",
  micOff:
    "M4 4l16 16M9 9v2.5a3 3 0 0 0 4.8 2.4M15 11v-4.5a3 3 0 0 0-5.7-1.3M5.5 11.5a6.5 6.5 0 0 0 10.6 5M18.5 11.5a6.5 6.5 0 0 1-.7 2.9M12 18v3M9 21h6",
  send: "M12 19V5M6 11l6-6 6 6",
  volume: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4ZM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  download: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 19.5h14",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  shield: "M12 3.5l7 2.5v5.5c0 4.3-2.9 7.6-7 9-4.1-1.4-7-4.7-7-9V6l7-2.5ZM9 12l2.2 2.2L15.2 10",
  keyboard: "M3.5 7h17v10.5h-17V7ZM7 10.5h.01M10.5 10.5h.01M14 10.5h.01M17.5 10.5h.01M8 14h8",
  down: "M12 5v14M6 13l6 6 6-6",
  chevron: "M8 10l4 4 4-4",
  clock: "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17ZM12 7.5V12l3 2",
} as const;

/** Name of an icon. */
export type IconName = keyof typeof PATHS;

/** An icon. */
export function icon(name: IconName): SVGSVGElement {
  const solid = name === "phone" || name === "hangUp";
  return s(
    "svg",
    { viewBox: "0 0 24 24", class: solid ? "icon solid" : "icon", "aria-hidden": "true", focusable: "false" },
    s("path", { d: PATHS[name] }),
  );
}

/** The wordmark's sign: a call and its answer. */
export function logo(): SVGSVGElement {
  return s(
    "svg",
    { viewBox: "0 0 32 32", class: "logo", "aria-hidden": "true", focusable: "false" },
    s("path", { d: "M13 6a10 10 0 0 0 0 20", class: "logo-call" }),
    s("path", { d: "M19 6a10 10 0 0 1 0 20", class: "logo-answer" }),
    s("path", { d: "M13 12.5v7M19 12.5v7", class: "logo-voice" }),
  );
}
