// The page with a stubbed connection: choosing, calling, captions, controls, the end.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, beforeEach, test } from "node:test";
import { emit, launch, openPage, picture, reached, site, startCall } from "./browser.mjs";
import { CONVERSATION, heard, meter, message, says, started, state, timeline, user } from "./events.mjs";

let browser;
let where;

before(async () => {
  browser = await launch();
});
beforeEach(async () => {
  await where?.close();
  where = await site();
});
after(async () => {
  await browser?.close();
  await where?.close();
});

test("five agents can be chosen, by mouse and by arrow keys", async () => {
  const { page, context, faults } = await openPage(browser, where);
  const cards = page.getByRole("radio");
  await cards.first().waitFor();
  assert.equal(await cards.count(), 5);
  await page.getByTestId("agent-card-domingo").click();
  assert.match(await page.getByTestId("call").textContent(), /Call Domingo/);
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getByTestId("agent-card-arty").getAttribute("aria-checked"), "true");
  assert.match(await page.getByTestId("call").textContent(), /Call Arty/);
  await picture(page, "idle");
  assert.deepEqual(faults, []);
  await context.close();
});

test("a call shows both sides, and marks the words that were heard", async () => {
  const { page, context, faults } = await openPage(browser, where);
  await startCall(page);
  await emit(page, ...CONVERSATION);
  const captions = page.getByTestId("captions");
  await captions.getByText("How do I centre a box on a page?").waitFor();
  const agents = page.getByTestId("caption-agent");
  assert.equal(await agents.count(), 3);
  const cut = agents.nth(1);
  assert.equal(await cut.locator(".unheard").textContent(), "", "what was not heard was not said");
  assert.ok(await cut.locator(".mark").isVisible());
  const current = agents.nth(2);
  assert.match(await current.locator(".heard").textContent(), /A page about something$/);
  assert.match(await current.locator(".unheard").textContent(), /^ you love is easiest/);
  assert.equal(await page.getByTestId("agent-state").textContent(), "Speaking");
  assert.equal(await page.getByTestId("seconds").textContent(), "0:17");
  assert.equal(await page.getByTestId("safety").getAttribute("data-state"), "NORMAL");
  assert.match(await page.getByTestId("advice").textContent(), /antiphon models pull whisper-base.en/);
  await picture(page, "in-call");
  assert.deepEqual(faults, []);
  await context.close();
});

test("a partial is replaced by its final and announced once", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started(), user(1, "hello wor", false));
  const caption = page.getByTestId("caption-user");
  assert.equal(await caption.getAttribute("data-final"), "false");
  assert.doesNotMatch(await page.getByTestId("announcer").textContent(), /hello wor/);
  await emit(page, user(1, "Hello world.", true), { type: "message_committed", message: message(1, "user", "Hello world.") });
  assert.equal(await caption.count(), 1);
  assert.equal(await caption.getAttribute("data-final"), "true");
  const spoken = await page.getByTestId("announcer").textContent();
  assert.equal(spoken.split("You: Hello world.").length - 1, 1);
  await context.close();
});

test("captions follow the words, unless the person reads further up", async () => {
  const { page, context } = await openPage(browser, where, { viewport: { width: 1360, height: 620 } });
  await startCall(page);
  await emit(page, started());
  const turns = (from) => Array.from({ length: 12 }, (_, n) => user(from + n, `Sentence number ${from + n}.`, true));
  await emit(page, ...turns(1));
  const left = () =>
    page.getByTestId("captions").evaluate((log) => log.scrollHeight - log.clientHeight - log.scrollTop);
  assert.ok((await left()) < 2);
  await page.setViewportSize({ width: 1360, height: 480 });
  await page.waitForFunction(() => {
    const log = document.querySelector("[data-testid=captions]");
    return log.clientHeight < 250 && log.scrollHeight - log.clientHeight - log.scrollTop < 2;
  });
  await page.getByTestId("captions").evaluate((log) => log.scrollTo(0, 0));
  await page.getByRole("button", { name: "Latest words" }).waitFor();
  await emit(page, ...turns(20));
  assert.ok((await left()) > 300);
  await page.getByRole("button", { name: "Latest words" }).click();
  assert.ok((await left()) < 2);
  await context.close();
});

test("the agent's states and every safety state are shown", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started());
  for (const [value, word] of [["thinking", "Thinking"], ["speaking", "Speaking"], ["listening", "Listening"]]) {
    await emit(page, state(value));
    assert.equal(await page.getByTestId("agent-state").textContent(), word);
  }
  for (const value of ["ELEVATED_CONCERN", "HIGH_RISK", "SAFETY_MODE", "NORMAL"]) {
    await emit(page, { type: "safety", state: value });
    assert.equal(await page.getByTestId("safety").getAttribute("data-state"), value);
    assert.match(await page.getByTestId("safety").getAttribute("aria-label"), /Safety check/);
  }
  await context.close();
});

test("levels of both sides move at least five times a second", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started(), state("speaking"));
  await page.evaluate(() => window.rtc.loudness(0.5));
  const loud = (id, db) =>
    page.waitForFunction(
      ([testId, least]) => Number(document.querySelector(`[data-testid=${testId}]`).dataset.db) > least,
      [id, db],
    );
  await loud("output-level", -12);
  await loud("input-level", -60);
  const changes = await page.evaluate(
    () =>
      new Promise((resolve) => {
        let count = 0;
        const bar = document.querySelector("[data-testid=output-level]");
        new MutationObserver((all) => (count += all.length)).observe(bar, { attributeFilter: ["data-db"] });
        setTimeout(() => resolve(count), 1_000);
      }),
  );
  assert.ok(changes >= 5, `${changes} updates in a second`);
  await page.evaluate(() => window.rtc.loudness(0));
  await page.waitForFunction(() => Number(document.querySelector("[data-testid=output-level]").dataset.db) < -70);
  await context.close();
});

test("the waterfall shows each stage with its numbers, its reason and a table", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started(), timeline(1, 400), timeline(2, 800, "You sounded unfinished."));
  const panel = page.getByTestId("waterfall");
  assert.match(await panel.textContent(), /median 600 ms/);
  assert.equal(await panel.locator("details[open]").count(), 1);
  const open = panel.locator("details[open]");
  assert.equal(await open.locator(".stage-row").count(), 5);
  assert.match(await open.textContent(), /You sounded unfinished\./);
  const sent = open.getByRole("img", { name: /First audio sent: took 56 ms, done 800 ms/ });
  await sent.focus();
  assert.equal(await sent.locator(".stage-took").textContent(), "+56 ms");
  assert.equal(await open.locator("tbody tr").count(), 5);
  await context.close();
});

test("mute reaches the track and the server, and survives a reconnect", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started());
  await page.getByTestId("mute").click();
  assert.equal(await page.getByTestId("mute").getAttribute("aria-pressed"), "true");
  const muted = () => page.evaluate(() => window.rtc.sent.filter(({ type }) => type === "mute"));
  assert.deepEqual(await muted(), [{ type: "mute", muted: true }]);
  assert.equal(await page.evaluate(() => window.rtc.peers[0].transceivers[0].sender.track.enabled), false);
  await page.evaluate(() => window.rtc.become("failed"));
  await page.waitForFunction(() => window.rtc.peers.length === 2);
  await reached(page, "connected");
  assert.equal((await muted()).length, 2);
  await page.getByTestId("mute").click();
  assert.deepEqual((await muted()).at(-1), { type: "mute", muted: false });
  await context.close();
});

test("typing sends a turn; a suggestion does too", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started());
  await page.getByRole("button", { name: "Why is my page slow?" }).click();
  await page.getByTestId("type-input").fill("  And now?  ");
  await page.getByTestId("type-send").click();
  const texts = await page.evaluate(() => window.rtc.sent.filter(({ type }) => type === "user_text"));
  assert.deepEqual(texts.map(({ text }) => text), ["Why is my page slow?", "And now?"]);
  assert.equal(await page.getByTestId("type-input").inputValue(), "");
  await context.close();
});

test("the keyboard alone makes, steers and ends a call", async () => {
  const { page, context } = await openPage(browser, where);
  await page.getByTestId("agent-card-cal").focus();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "call");
  await page.keyboard.press("Enter");
  await reached(page, "connected");
  await emit(page, started(), state("speaking"));
  await page.keyboard.press("m");
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  await page.keyboard.type("mHt");
  assert.equal(await page.getByTestId("type-input").inputValue(), "mHt", "letters typed are letters");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Shift+H");
  await reached(page, "ended");
  const kinds = await page.evaluate(() => window.rtc.sent.map(({ type }) => type));
  assert.deepEqual(kinds, ["mute", "interrupt", "hang_up"]);
  assert.equal(await page.evaluate(() => document.activeElement.className), "summary-title");
  await context.close();
});

test("after the call: figures, transcript to download, call again", async () => {
  const { page, context, faults } = await openPage(browser, where);
  await startCall(page);
  await emit(page, ...CONVERSATION, heard(2, 5, "A page about something you love"));
  await page.getByTestId("hang-up").click();
  await emit(page, { type: "session_ended", reason: "user_hung_up", seconds: 19 });
  await reached(page, "ended");
  const summary = page.locator(".summary");
  assert.match(await summary.textContent(), /Talk time0:19/);
  assert.match(await summary.textContent(), /Turns2/);
  assert.match(await summary.textContent(), /Median answer474 ms/);
  await picture(page, "after-call");
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByTestId("download-transcript").click()]);
  assert.match(file.suggestedFilename(), /^antiphon-cal-\d{4}-\d\d-\d\d-\d{4}\.txt$/);
  const text = await readFile(await file.path(), "utf8");
  assert.match(text, /Cal: Make the parent a grid .* Two lines, no — \[interrupted\]/);
  assert.doesNotMatch(text, /easiest/, "unheard words are not in the transcript");
  await page.getByTestId("call-again").click();
  await reached(page, "connected");
  assert.equal(await page.getByTestId("caption-agent").count(), 0);
  assert.equal(where.stub.count("POST /v1/sessions/sess_stub2/webrtc"), 1);
  assert.deepEqual(faults, []);
  await context.close();
});

test("hanging up tells the server twice: in words and by DELETE", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started(), meter(3));
  const gone = page.waitForRequest((request) => request.method() === "DELETE");
  await page.getByTestId("hang-up").click();
  assert.match((await gone).url(), /\/v1\/sessions\/sess_stub1$/);
  assert.deepEqual(await page.evaluate(() => window.rtc.sent.at(-1)), { type: "hang_up" });
  await context.close();
});

test("closing the tab deletes the session at once", { skip: process.env.BASE_URL !== undefined }, async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started(), says(0, 1, "Hello."));
  await page.close({ runBeforeUnload: false });
  const until = Date.now() + 3_000;
  while (where.stub.count("DELETE") === 0 && Date.now() < until) await new Promise(setImmediate);
  assert.equal(where.stub.count("DELETE /v1/sessions/sess_stub1"), 1);
  await context.close();
});
