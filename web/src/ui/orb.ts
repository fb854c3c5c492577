// The picture of the voice: a soft body that breathes while it listens, turns while it thinks and
// swells with the words while it speaks.

import { meterFill } from "../levels";
import { h, must } from "./dom";

/** What the orb shows. */
export interface OrbMood {
  kind: "resting" | "connecting" | "listening" | "thinking" | "speaking";
  /** `#rrggbb`. */
  color: string;
}

/** Layers of the body, from the faint outside in: radius, wobble and opacity relative to the rest. */
const LAYERS = [
  { radius: 0.91, wobble: 1, alpha: 0.13, speed: 0.55 },
  { radius: 0.8, wobble: 0.75, alpha: 0.22, speed: -0.8 },
  { radius: 0.69, wobble: 0.5, alpha: 1, speed: 0.7 },
] as const;

/** Points on the outline; enough to look round at this size. */
const POINTS = 72;

/** Draws moods and levels onto a canvas. */
export class Orb {
  readonly element = h("canvas", { class: "orb-canvas", "aria-hidden": "true" });
  readonly #ink = must(this.element.getContext("2d"), "canvas 2d");
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #mood: OrbMood = { kind: "resting", color: "#5b6ee1" };
  #level = 0;
  #target = 0;
  #running = false;

  /** Shows a mood from now on. */
  show(mood: OrbMood): void {
    this.#mood = mood;
    if (!this.#running) this.#draw(0);
  }

  /** The level to follow, dBFS. */
  follow(db: number): void {
    this.#target = meterFill(db);
  }

  /** Runs or stops the animation. */
  run(running: boolean): void {
    if (running === this.#running) return;
    this.#running = running;
    if (running) requestAnimationFrame((ms) => this.#frame(ms));
  }

  #frame(ms: number): void {
    if (!this.#running) return;
    // Quick up, slow down: as ears follow loudness.
    const rate = this.#target > this.#level ? 0.35 : 0.08;
    this.#level += (this.#target - this.#level) * rate;
    this.#draw(this.#still.matches ? 0 : ms / 1_000);
    requestAnimationFrame((next) => this.#frame(next));
  }

  #draw(seconds: number): void {
    const size = this.#resize();
    if (size === 0) return;
    const ink = this.#ink;
    const middle = size / 2;
    ink.clearRect(0, 0, size, size);
    const { kind, color } = this.#mood;
    const breath = kind === "resting" ? 0 : Math.sin(seconds * 1.4) * 0.012;
    const lively = this.#still.matches ? 0 : this.#level;
    for (const { radius, wobble, alpha, speed } of LAYERS) {
      const grow = radius * (0.86 + breath + lively * 0.14 * wobble);
      const waves = (0.01 + lively * 0.034) * wobble;
      this.#outline(middle, middle * grow, waves, seconds * speed);
      ink.globalAlpha = kind === "resting" ? alpha * 0.7 : alpha;
      ink.fillStyle = alpha === 1 ? this.#shade(middle, color) : color;
      ink.fill();
    }
    ink.globalAlpha = 1;
    if (kind === "thinking" || kind === "connecting") this.#turn(middle, seconds, color);
  }

  #outline(middle: number, radius: number, waves: number, phase: number): void {
    const ink = this.#ink;
    ink.beginPath();
    for (let point = 0; point <= POINTS; point += 1) {
      const angle = (point / POINTS) * Math.PI * 2;
      const bend =
        Math.sin(angle * 3 + phase * 2.1) + 0.6 * Math.sin(angle * 5 - phase * 1.7) + 0.4 * Math.sin(angle * 2 + phase);
      const reach = radius * (1 + waves * bend);
      ink.lineTo(middle + Math.cos(angle) * reach, middle + Math.sin(angle) * reach);
    }
    ink.closePath();
  }

  #shade(middle: number, color: string): CanvasGradient {
    const light = this.#ink.createRadialGradient(middle * 0.72, middle * 0.6, 0, middle, middle, middle * 0.82);
    light.addColorStop(0, mix(color, 255, 0.5));
    light.addColorStop(0.55, color);
    light.addColorStop(1, mix(color, 0, 0.28));
    return light;
  }

  // A light that goes round: something is under way.
  #turn(middle: number, seconds: number, color: string): void {
    const ink = this.#ink;
    ink.strokeStyle = color;
    ink.lineCap = "round";
    ink.lineWidth = Math.max(2, middle * 0.028);
    const from = seconds * 3.2;
    ink.beginPath();
    ink.arc(middle, middle, middle * 0.93, from, from + Math.PI * 0.6);
    ink.stroke();
  }

  #resize(): number {
    const size = Math.round(this.element.clientWidth * Math.min(devicePixelRatio, 2));
    if (size !== 0 && this.element.width !== size) {
      this.element.width = size;
      this.element.height = size;
    }
    return size;
  }
}

/** `color` (`#rrggbb`) moved towards black (0) or white (255). */
function mix(color: string, towards: 0 | 255, share: number): string {
  const parts = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16);
    return Math.round(part + (towards - part) * share);
  });
  return `rgb(${parts.join(" ")})`;
}
