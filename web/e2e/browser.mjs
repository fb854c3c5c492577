// A headless Chromium with the page in it, for the specs.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "./static-server.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
];

const RTC_STUB = fileURLToPath(new URL("rtc-stub.js", import.meta.url));

/** Longest wait for something to appear, milliseconds. */
export const WAIT_MS = 10_000;

/** Starts Chromium; `audioWav` is what its microphone hears, once. */
export function launch(audioWav = null) {
  const capture = audioWav === null ? [] : [`--use-file-for-fake-audio-capture=${audioWav}%noloop`];
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [...FLAGS, ...capture],
  });
}

/** Where the page is: a running server's `BASE_URL` with its REST routes stubbed, or our own. */
export async function site() {
  const own = await serve();
  const base = process.env.BASE_URL;
  return base === undefined ? own : { ...own, url: base, routed: true };
}

/** Opens the page with a stubbed connection. `init` runs in the page before its scripts. */
export async function openPage(browser, where, { init = null, clock = false, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
  if (clock) await page.clock.install();
  await page.addInitScript({ path: RTC_STUB });
  if (init !== null) await page.addInitScript(init);
  if (where.routed) await page.route("**/v1/**", (route) => fulfill(where.stub, route));
  await page.goto(where.url);
  return { page, context, faults };
}

/** Chooses an agent, presses Call and waits for the connection. */
export async function startCall(page, agent = "cal") {
  await page.getByTestId(`agent-card-${agent}`).click();
  await page.getByTestId("call").click();
  await reached(page, "connected");
}

/** Waits for a state of the connection. */
export async function reached(page, state) {
  await page.locator(`[data-testid=connection][data-state=${state}]`).waitFor();
}

/** Delivers events. */
export async function emit(page, ...events) {
  await page.evaluate((all) => all.forEach((each) => window.rtc.emit(each)), events);
}

/** Keeps a picture where `SCREENSHOTS` names a folder. */
export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

async function fulfill(stub, route) {
  const request = route.request();
  const { pathname } = new URL(request.url());
  const answer = stub.answer(request.method(), pathname, await request.allHeaders());
  if (answer === null) await route.abort();
  else if (answer === undefined) await route.fulfill({ status: 404 });
  else await route.fulfill({ status: answer.status, contentType: answer.type, body: answer.body });
}
