// A microphone that says what a test wants, when it wants it; and helpers for real calls.

import { readFile } from "node:fs/promises";

/** Runs in the page before its own scripts: `window.voice.say(base64)` speaks a WAV file. */
export function installVoice() {
  let context = null;
  let out = null;
  const open = () => {
    context ??= new AudioContext();
    out ??= context.createMediaStreamDestination();
  };
  window.voice = {
    async say(base64) {
      open();
      const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
      const source = new AudioBufferSourceNode(context, { buffer: await context.decodeAudioData(bytes.buffer) });
      source.connect(out);
      source.start();
      await new Promise((ended) => (source.onended = ended));
    },
  };
  navigator.mediaDevices.getUserMedia = async () => {
    open();
    return out.stream.clone();
  };
  // Tests break the line through the connections that the page has opened.
  window.peers = [];
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...args) {
      super(...args);
      window.peers.push(this);
    }
  };
}

/** Speaks a WAV file into the page's microphone; resolves when it has been said. */
export async function say(page, wav) {
  const base64 = (await readFile(wav)).toString("base64");
  await page.evaluate((data) => window.voice.say(data), base64);
}

/** Makes the page believe that its newest connection has failed. */
export async function breakLine(page) {
  await page.evaluate(() => {
    const peer = window.peers.at(-1);
    Object.defineProperty(peer, "connectionState", { value: "failed" });
    peer.onconnectionstatechange(new Event("connectionstatechange"));
  });
}

/** Waits for a state of the agent. */
export async function agentIs(page, state, timeout = 20_000) {
  await page.locator(`[data-testid=agent-state][data-state=${state}]`).waitFor({ timeout });
}

/** Waits until the agent can be heard: louder than `db` dBFS in the page. */
export async function audible(page, db = -40, timeout = 20_000) {
  const louder = (least) => Number(document.querySelector("[data-testid=output-level]").dataset.db) > least;
  await page.waitForFunction(louder, db, { timeout });
}

/** Waits until the person's caption of the newest turn is final; resolves to its words. */
export async function finalWords(page, count, timeout = 20_000) {
  const finals = page.locator("[data-testid=caption-user][data-final=true]");
  await finals.nth(count - 1).waitFor({ timeout });
  return (await finals.nth(count - 1).locator(".heard").textContent()).trim();
}
