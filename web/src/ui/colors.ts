// An agent's colour, made fit to carry text.

/** Contrast that text must have against its ground (WCAG 2.2, 1.4.3). */
export const CONTRAST_MIN = 4.5;
/** A colour that must lose more light than this to carry white text carries black text as it is. */
const DARKEN_MAX = 0.3;

/** The colours of a button. Both are `#rrggbb`. */
export interface ButtonColors {
  ground: string;
  text: string;
}

/** A button in (nearly) the given colour (`#rrggbb`) whose text can be read. */
export function buttonColors(color: string): ButtonColors {
  for (let share = 0; share <= DARKEN_MAX; share += 0.02) {
    const ground = darken(color, share);
    if (contrast(ground, "#ffffff") >= CONTRAST_MIN) return { ground, text: "#ffffff" };
  }
  return { ground: color, text: "#000000" };
}

/** The colour, or a calm default where it is not `#rrggbb`. */
export function safeColor(color: string): string {
  return /^#[0-9a-f]{6}$/i.test(color) ? color : "#5b6ee1";
}

/** Contrast of two colours, 1 to 21 (WCAG 2.2). */
export function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

function darken(color: string, share: number): string {
  const parts = channels(color).map((part) => Math.round(part * (1 - share)));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function luminance(color: string): number {
  const parts = channels(color).map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const [red = 0, green = 0, blue = 0] = parts;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channels(color: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}
