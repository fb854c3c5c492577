// What the page remembers between visits, on this device only.

/** Which colours the person wants. */
export type Theme = "auto" | "light" | "dark";

/** Reads a remembered value; `null` where there is none or storage is forbidden. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`antiphon.${key}`);
  } catch {
    return null;
  }
}

/** Remembers a value where storage is allowed. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`antiphon.${key}`, value);
  } catch {
    // Private windows and blocked storage: the page works without memory.
  }
}

/** The remembered volume of the agent, 0 to 1. */
export function recallVolume(): number {
  const volume = Number(recall("volume") ?? "1");
  return Number.isFinite(volume) ? Math.min(1, Math.max(0, volume)) : 1;
}

/** The theme in use. */
export function recallTheme(): Theme {
  const theme = recall("theme");
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** Shows a theme and remembers it. */
export function applyTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  remember("theme", theme);
}

/** True where the page is dark now. */
export function isDark(theme: Theme): boolean {
  return theme === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
}
