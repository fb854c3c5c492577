// The page over the browser's own WebRTC, without a server: a second page answers its offers.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, reached } from "./browser.mjs";
import { started, state } from "./events.mjs";
import { installFarSide } from "./far-side.mjs";
import { serve } from "./static-server.mjs";
import { audible, breakLine } from "./voice.mjs";

let browser;
let where;
let context;
let far;

before(async () => {
  browser = await launch();
});
beforeEach(async () => {
  where = await serve();
  // With the microphone allowed Chromium names its real addresses instead of mDNS ones.
  context = await browser.newContext({ permissions: ["microphone"] });
  far = await context.newPage();
  await far.goto(where.url);
  await far.evaluate(() => navigator.mediaDevices.getUserMedia({ audio: true }));
  await far.evaluate(installFarSide);
});
afterEach(async () => {
  await context.close();
  await where.close();
});
after(async () => browser.close());

test("audio and messages go both ways", { timeout: 40_000 }, async () => {
  const page = await dial();
  await audible(page, -20);
  await far.waitForFunction(() => window.far.levelDb() > -60);
  await far.evaluate((event) => window.far.emit(event), started());
  await far.evaluate((event) => window.far.emit(event), state("speaking"));
  await page.locator("[data-testid=agent-state][data-state=speaking]").waitFor();
  await page.getByTestId("type-input").fill("hello");
  await page.getByTestId("type-send").click();
  await far.waitForFunction(() => window.far.heard.some(({ type, text }) => type === "user_text" && text === "hello"));
  assert.deepEqual(
    await far.evaluate(() => [window.far.channel.label, window.far.channel.ordered, window.far.channel.maxRetransmits]),
    ["antiphon", true, null],
  );
  await page.getByTestId("mute").click();
  await far.waitForFunction(() => window.far.levelDb() < -60);
});

test("a microphone that comes later is heard on the same connection", { timeout: 40_000 }, async () => {
  const page = await dial(() => {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wanted) => {
      navigator.mediaDevices.getUserMedia = real;
      return wanted === null ? real(wanted) : Promise.reject(new DOMException("no", "NotAllowedError"));
    };
  });
  await audible(page, -20);
  await page.getByRole("button", { name: "Try again" }).click();
  await far.waitForFunction(() => window.far.levelDb() > -60);
  assert.equal(await far.evaluate(() => window.far.peers.length), 1);
});

test("a second connection carries on without a goodbye on the first", { timeout: 40_000 }, async () => {
  const page = await dial();
  await far.evaluate((event) => window.far.emit(event), started());
  await far.evaluate(() => {
    window.far.channel.onclose = () => (window.far.goodbyeBefore ??= window.far.peers.length);
  });
  await breakLine(page);
  await far.waitForFunction(() => window.far.peers.length === 2);
  await reached(page, "connected");
  await audible(page, -20);
  await far.evaluate((event) => window.far.emit(event), started({ resumed: true }));
  await far.waitForFunction(() => window.far.goodbyeBefore !== undefined);
  assert.equal(await far.evaluate(() => window.far.goodbyeBefore), 2, "the old line closed after the new one was up");
});

/** Opens the page and calls; the second page answers. */
async function dial(init = () => undefined) {
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.peers = [];
    const Real = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      constructor(...args) {
        super(...args);
        window.peers.push(this);
      }
    };
  });
  await page.addInitScript(init);
  await page.route("**/webrtc", async (route) => {
    const answer = await far.evaluate((offer) => window.far.answer(offer), route.request().postData());
    await route.fulfill({ status: 201, contentType: "application/sdp", body: answer });
  });
  await page.goto(where.url);
  await page.getByTestId("call").click();
  await reached(page, "connected");
  return page;
}
