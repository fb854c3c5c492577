// Real calls against a running `antiphon serve`.
//
// BASE_URL    where it serves, e.g. http://127.0.0.1:8080
// AUDIO_WAV   a spoken question, 16-bit PCM WAV
// MIC_WAV     optional: the same behind some seconds of silence, played from the moment the
//             microphone opens; default AUDIO_WAV
// EXPECT      optional: a regular expression that the caption of AUDIO_WAV must match
// AGENT       optional: whom to call; default cal

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { launch, picture, reached } from "./browser.mjs";
import { agentIs, audible, breakLine, finalWords, installVoice, say } from "./voice.mjs";

const { BASE_URL, AUDIO_WAV, MIC_WAV = AUDIO_WAV, AGENT = "cal" } = process.env;
const EXPECT = new RegExp(process.env.EXPECT ?? "\\S", "i");
const skip = BASE_URL === undefined || AUDIO_WAV === undefined;
if (skip) console.log("SKIPPED: call.spec needs BASE_URL of a running server and AUDIO_WAV");

/** A question whose answer is long enough to be interrupted. */
const LONG = "Tell me everything you can do for me, please.";

let browser;
let context;

before(async () => {
  if (!skip) browser = await launch();
});
afterEach(async () => context?.close());
after(async () => browser?.close());

test("recorded speech is heard and answered", { skip, timeout: 90_000 }, async () => {
  // Chromium plays the file once, from the moment the microphone opens.
  const hearing = await launch(MIC_WAV);
  try {
    const { page, session } = await call(hearing, { voice: false });
    await picture(page, "real-idle");
    await start(page);
    const words = await finalWords(page, 1, 40_000);
    assert.match(words, EXPECT);
    await agentIs(page, "speaking");
    await audible(page);
    await picture(page, "real-in-call");
    await page.locator("[data-testid=waterfall] .stage-row").first().waitFor({ state: "attached" });
    await page.waitForFunction(() => Number(document.querySelector("[data-testid=seconds]").dataset.seconds) > 0);
    await page.getByTestId("hang-up").click();
    await reached(page, "ended");
    await picture(page, "real-after-call");
    await endsWithin(session, 5_000);
  } finally {
    await hearing.close();
  }
});

test("a second turn, and speech that stops the agent", { skip, timeout: 120_000 }, async () => {
  const { page } = await call(browser, { voice: true });
  await start(page);
  await quiet(page);
  await say(page, AUDIO_WAV);
  assert.match(await finalWords(page, 1), EXPECT);
  await agentIs(page, "speaking");
  await audible(page);
  await quiet(page);
  await say(page, AUDIO_WAV);
  assert.notEqual(await finalWords(page, 2), "");
  await agentIs(page, "speaking");
  await audible(page);
  const spoken = say(page, AUDIO_WAV);
  await page.locator("[data-testid=caption-agent] .mark:visible").last().waitFor({ timeout: 10_000 });
  await spoken;
  assert.notEqual(await finalWords(page, 3), "");
  const cut = page.locator("[data-testid=caption-agent]", { has: page.locator(".mark:visible") }).last();
  assert.equal(await cut.locator(".unheard").textContent(), "");
  await page.getByTestId("hang-up").click();
  await reached(page, "ended");
});

test("a typed turn stops the agent and is answered", { skip, timeout: 90_000 }, async () => {
  const { page } = await call(browser, { voice: true });
  await start(page);
  await quiet(page);
  await type(page, LONG);
  await agentIs(page, "speaking");
  await audible(page);
  // An answer of which no word was heard would vanish instead of being marked.
  await page.waitForFunction(() => {
    const heard = [...document.querySelectorAll("[data-testid=caption-agent]")].at(-1)?.querySelector(".heard");
    return (heard?.textContent ?? "").trim().split(/\s+/).length >= 2;
  });
  await type(page, "Stop. Who are you?");
  await page.locator("[data-testid=caption-agent] .mark:visible").first().waitFor();
  assert.equal(await finalWords(page, 2), "Stop. Who are you?");
  await agentIs(page, "speaking");
  await page.getByTestId("hang-up").click();
  await reached(page, "ended");
});

test("without a microphone a call is typed and heard", { skip, timeout: 60_000 }, async () => {
  const { page } = await call(browser, { voice: true });
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
  });
  await start(page);
  await quiet(page);
  await type(page, "Who are you?");
  await agentIs(page, "speaking");
  await audible(page);
  await page.getByTestId("hang-up").click();
  await reached(page, "ended");
});

test("a line that breaks is taken up again with the whole history", { skip, timeout: 90_000 }, async () => {
  const { page, session } = await call(browser, { voice: true });
  await start(page);
  await quiet(page);
  await type(page, "Who are you?");
  await finalWords(page, 1);
  await breakLine(page);
  await page.waitForFunction(() => window.peers.length >= 2);
  await reached(page, "connected");
  assert.equal(await finalWords(page, 1), "Who are you?");
  await quiet(page);
  await type(page, "And what can you do?");
  assert.equal(await finalWords(page, 2), "And what can you do?");
  await agentIs(page, "speaking");
  await audible(page);
  assert.equal((await view(session)).status, "connected");
  await page.getByTestId("hang-up").click();
  await endsWithin(session, 5_000);
});

test("closing the tab ends the session within 5 s", { skip, timeout: 60_000 }, async () => {
  const { page, session } = await call(browser, { voice: true });
  await start(page);
  await agentIs(page, "speaking");
  await page.close({ runBeforeUnload: false });
  await endsWithin(session, 5_000);
});

/** Opens the page; `session` fills when a call is made. */
async function call(chromium, { voice }) {
  context = await chromium.newContext({ viewport: { width: 1360, height: 860 } });
  const page = await context.newPage();
  if (voice) await page.addInitScript(installVoice);
  const session = {};
  page.on("response", async (response) => {
    const created = response.url().endsWith("/v1/sessions") && response.request().method() === "POST";
    if (created && response.ok()) Object.assign(session, await response.json());
  });
  await page.goto(BASE_URL);
  await page.getByTestId(`agent-card-${AGENT}`).click();
  return { page, session };
}

async function start(page) {
  await page.getByTestId("call").click();
  await reached(page, "connected");
}

/** Waits until the greeting or an answer has been said to its end. */
async function quiet(page) {
  await page.locator("[data-testid=caption-agent][data-final=true]").last().waitFor({ timeout: 40_000 });
  await agentIs(page, "listening", 40_000);
}

async function type(page, words) {
  await page.getByTestId("type-input").fill(words);
  await page.getByTestId("type-send").click();
}

async function view({ id, token }) {
  const answer = await fetch(`${BASE_URL}/v1/sessions/${id}`, { headers: { authorization: `Bearer ${token}` } });
  return answer.ok ? answer.json() : { status: "ended" };
}

/** Asks the server until the session is over; fails where it is not in time. */
async function endsWithin(session, ms) {
  assert.ok(session.id, "a session was made");
  const until = Date.now() + ms;
  while ((await view(session)).status !== "ended") {
    assert.ok(Date.now() < until, `the session was still there after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
