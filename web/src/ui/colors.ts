// An agent's colour, made fit to carry text.

/** Colour of text on `background` (`#rrggbb`): whichever of black and white contrasts more. */
export function textOn(background: string): "#000000" | "#ffffff" {
  const light = luminance(background);
  // Contrast as WCAG 2.2 defines it: (L1 + 0.05) / (L2 + 0.05).
  return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? "#000000" : "#ffffff";
}

/** The colour, or a calm default where it is not `#rrggbb`. */
export function safeColor(color: string): string {
  return /^#[0-9a-f]{6}$/i.test(color) ? color : "#5b6ee1";
}

function luminance(color: string): number {
  const parts = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const [red = 0, green = 0, blue = 0] = parts;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
