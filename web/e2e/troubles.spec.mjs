// The page when things go wrong: no microphone, no server, a line that drops.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { emit, launch, openPage, picture, reached, site, startCall } from "./browser.mjs";
import { CONVERSATION, committed, message, started, user } from "./events.mjs";

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

const NO_MICROPHONE = [
  ["NotAllowedError", /microphone is blocked for this page/],
  ["NotFoundError", /No microphone was found/],
  ["NotReadableError", /Another program holds the microphone/],
];

for (const [name, words] of NO_MICROPHONE) {
  test(`without a microphone (${name}) the call goes on by typing`, async () => {
    const { page, context } = await openPage(browser, where);
    await page.evaluate((error) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("stub", error));
    }, name);
    await startCall(page);
    await emit(page, started());
    await page.getByTestId("notice").getByText(words).waitFor();
    assert.ok(await page.getByTestId("mute").isDisabled());
    const [audio] = await page.evaluate(() => window.rtc.peers[0].transceivers.map(({ sender }) => sender.track));
    assert.equal(audio, null);
    await page.getByTestId("type-input").fill("hello");
    await page.keyboard.press("Enter");
    assert.deepEqual(await page.evaluate(() => window.rtc.sent), [{ type: "user_text", text: "hello" }]);
    await picture(page, `microphone-${name}`);
    await context.close();
  });
}

test("a microphone allowed later is used without a new connection", async () => {
  const { page, context } = await openPage(browser, where);
  await page.evaluate(() => {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("stub", "NotAllowedError"));
    window.allowMicrophone = () => (navigator.mediaDevices.getUserMedia = real);
  });
  await startCall(page);
  await page.evaluate(() => window.allowMicrophone());
  await page.getByRole("button", { name: "Try again" }).click();
  await page.waitForFunction(() => window.rtc.peers[0].transceivers[0].sender.track?.kind === "audio");
  await page.getByTestId("notice").waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => window.rtc.peers.length), 1);
  await context.close();
});

test("an unanswered microphone question can be skipped", async () => {
  const { page, context } = await openPage(browser, where);
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => new Promise(() => undefined);
  });
  await page.getByTestId("call").click();
  assert.equal(await page.getByTestId("agent-state").textContent(), "Waiting for the microphone");
  await page.getByRole("button", { name: "Go on without" }).click();
  await reached(page, "connected");
  await page.getByRole("button", { name: "Use microphone" }).waitFor();
  await context.close();
});

test("on an insecure page the reason is named", async () => {
  const insecure = () => {
    Object.defineProperty(navigator, "mediaDevices", { value: undefined });
    Object.defineProperty(window, "isSecureContext", { value: false });
  };
  const { page, context, faults } = await openPage(browser, where, { init: insecure });
  await startCall(page);
  await page.getByTestId("notice").getByText(/only on https:\/\/ pages and on localhost/).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test("the microphone asks for echo cancelling, noise suppression and gain control", async () => {
  const { page, context } = await openPage(browser, where);
  await page.evaluate(() => {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wanted) => {
      window.wanted = wanted;
      return real(wanted);
    };
  });
  await startCall(page);
  const { audio } = await page.evaluate(() => window.wanted);
  const { echoCancellation, noiseSuppression, autoGainControl } = audio;
  assert.deepEqual([echoCancellation, noiseSuppression, autoGainControl], [true, true, true]);
  await context.close();
});

test("a dropped line is taken up again in the same session, with all that was said", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, ...CONVERSATION);
  await page.evaluate(() => (window.rtc.autoConnect = false));
  await page.evaluate(() => window.rtc.become("failed"));
  await reached(page, "reconnecting");
  await page.getByTestId("notice").getByText(/The connection dropped/).waitFor();
  assert.match(await page.getByTestId("countdown").textContent(), /^(30|29) s left$/);
  assert.ok(await page.getByTestId("type-send").isDisabled());
  await picture(page, "reconnecting");
  await page.waitForFunction(() => window.rtc.peers.length === 2);
  await page.evaluate(() => window.rtc.become("connected"));
  await reached(page, "connected");
  const history = [message(1, "user", "How do I centre a box on a page?"), message(2, "agent", "A page about", true)];
  await emit(page, started({ resumed: true, history }));
  const captions = page.getByTestId("captions");
  await captions.getByText("How do I centre a box").waitFor();
  // The answer that the loss cut off now ends where it was heard.
  await captions.getByText(/A page about$/).waitFor();
  await captions.getByText("Hello, Cal here").waitFor();
  await page.getByTestId("notice").waitFor({ state: "hidden" });
  assert.equal(where.stub.count("POST /v1/sessions/sess_stub1/webrtc"), 2);
  assert.equal(where.stub.seen.filter((each) => each === "POST /v1/sessions").length, 1);
  await context.close();
});

test("an unsteady line is named, and lost after two seconds", async () => {
  const { page, context } = await openPage(browser, where, { clock: true });
  await startCall(page);
  await page.evaluate(() => window.rtc.become("disconnected"));
  await page.getByTestId("notice").getByText("The connection is unsteady.").waitFor();
  await page.evaluate(() => (window.rtc.autoConnect = false));
  await page.clock.fastForward(2_100);
  await reached(page, "reconnecting");
  await context.close();
});

test("after 30 s without the server the call ends clearly and can be made again", async () => {
  const { page, context } = await openPage(browser, where, { clock: true });
  await startCall(page);
  await emit(page, started(), user(1, "Are you there?", true), committed(1, "user", "Are you there?"));
  where.stub.fails.offer = "gone";
  await page.evaluate(() => window.rtc.become("failed"));
  await reached(page, "reconnecting");
  for (let second = 0; second < 31; second += 1) await page.clock.runFor(1_000);
  await reached(page, "ended");
  await page.getByText("The connection was lost").waitFor();
  await page.getByTestId("transcript").getByText("Are you there?").waitFor();
  assert.ok(where.stub.count("POST /v1/sessions/sess_stub1/webrtc") >= 8);
  await picture(page, "lost");
  where.stub.fails.offer = null;
  await page.getByTestId("call-again").click();
  await page.clock.runFor(1_000);
  await reached(page, "connected");
  await context.close();
});

test("a session that the server has forgotten is not tried for 30 s", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  where.stub.fails.offer = { status: 404, detail: "There is no such session: it has ended." };
  await page.evaluate(() => window.rtc.become("failed"));
  await reached(page, "ended");
  await page.getByText("There is no such session: it has ended.").waitFor();
  await context.close();
});

test("what the server says on refusing a call is shown", async () => {
  const { page, context } = await openPage(browser, where);
  where.stub.fails.sessions = { status: 503, detail: "All lines are busy. Try again in a minute." };
  await page.getByTestId("call").click();
  await reached(page, "ended");
  await page.getByText("All lines are busy. Try again in a minute.").waitFor();
  await page.getByTestId("other-agent").click();
  await page.getByTestId("call").waitFor();
  await context.close();
});

test("a page without a server says so, and goes on when there is one", async () => {
  where.stub.fails.agents = "gone";
  const { page, context } = await openPage(browser, where);
  await page.getByTestId("notice").getByText(/The server cannot be reached/).waitFor();
  assert.match(await page.getByTestId("connection").textContent(), /No server/);
  await picture(page, "no-server");
  where.stub.fails.agents = null;
  await page.getByTestId("agent-card-cal").waitFor();
  await page.getByTestId("notice").waitFor({ state: "hidden" });
  await context.close();
});

test("a server that shuts down says so before and after", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started(), { type: "session_ending", reason: "drained", in_ms: 5_000 });
  await page.getByTestId("notice").getByText(/shutting down: about 5 s left/).waitFor();
  await emit(page, { type: "session_ended", reason: "drained", seconds: 4 });
  await reached(page, "ended");
  await page.getByText("The server is shutting down").waitFor();
  await context.close();
});

test("a call taken over elsewhere ends here and is not deleted", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started(), { type: "notice", code: "replaced", message: "Another connection took over." });
  await reached(page, "ended");
  await page.getByText("The call moved elsewhere").waitFor();
  assert.equal(where.stub.count("DELETE"), 0);
  await context.close();
});

test("troubles of the server are told in its words", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, started(), { type: "notice", code: "recognizer_trouble", message: "I cannot hear you; typing works." });
  await page.getByTestId("notice").getByText("I cannot hear you; typing works.").waitFor();
  await context.close();
});

test("garbage on the data channel is ignored", async () => {
  const { page, context, faults } = await openPage(browser, where);
  await startCall(page);
  await page.evaluate(() => {
    for (const data of ["", "{", "[]", '{"type":"meter"}', "null", new ArrayBuffer(4)]) {
      window.rtc.peers[0].channel.onmessage({ data });
    }
  });
  await emit(page, started());
  await page.getByTestId("advice").waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test("sound that the browser holds back can be released", async () => {
  const { page, context } = await openPage(browser, where);
  await page.evaluate(() => {
    let refused = false;
    const real = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function play() {
      if (refused) return real.call(this);
      refused = true;
      return Promise.reject(new DOMException("stub", "NotAllowedError"));
    };
  });
  await startCall(page);
  await page.getByRole("button", { name: "Play sound" }).click();
  await page.getByTestId("notice").waitFor({ state: "hidden" });
  await context.close();
});
