// How the page looks and reads: widths, colours, motion, names of controls.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { emit, launch, openPage, picture, reached, site, startCall } from "./browser.mjs";
import { CONVERSATION } from "./events.mjs";

let browser;
let where;

before(async () => {
  browser = await launch();
  where = await site();
});
after(async () => {
  await browser?.close();
  await where?.close();
});

const MOBILE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const VIEWS = [
  ["desktop-light", { colorScheme: "light" }],
  ["desktop-dark", { colorScheme: "dark" }],
  ["tablet-light", { viewport: { width: 820, height: 1100 } }],
  ["mobile-light", { ...MOBILE, colorScheme: "light" }],
  ["mobile-dark", { ...MOBILE, colorScheme: "dark" }],
];

for (const [name, options] of VIEWS) {
  test(`${name}: nothing is cut off, everything has a name and can be read`, async () => {
    const { page, context, faults } = await openPage(browser, where, options);
    await page.getByTestId("agent-card-cal").click();
    await sound(page, `${name}: agents`);
    await picture(page, `${name}-1-agents`);
    await startCall(page);
    await emit(page, ...CONVERSATION);
    await page.evaluate(() => window.rtc.loudness(0.4));
    await page.waitForFunction(() => Number(document.querySelector("[data-testid=output-level]").dataset.db) > -20);
    await sound(page, `${name}: call`);
    await picture(page, `${name}-2-call`);
    await page.getByTestId("hang-up").click();
    await reached(page, "ended");
    await sound(page, `${name}: summary`);
    await picture(page, `${name}-3-summary`);
    assert.deepEqual(faults, []);
    await context.close();
  });
}

test("the theme button overrides the system and is remembered", async () => {
  const { page, context } = await openPage(browser, where, { colorScheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "Use dark colours" }).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await ground(), dark);
  await page.getByRole("button", { name: "Use light colours" }).click();
  assert.equal(await ground(), light);
  await context.close();
});

test("with reduced motion nothing moves by itself", async () => {
  const { page, context } = await openPage(browser, where, { reducedMotion: "reduce" });
  await startCall(page);
  const frame = () => page.locator(".orb-canvas").evaluate((canvas) => canvas.toDataURL());
  const before = await frame();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 200)))));
  assert.equal(await frame(), before);
  await context.close();
});

test("every control is reached by Tab and shows it", async () => {
  const { page, context } = await openPage(browser, where);
  await startCall(page);
  await emit(page, ...CONVERSATION);
  const wanted = ["theme", "type-input", "type-send", "mute", "hang-up", "volume", "captions"];
  const reachedIds = new Set();
  for (let press = 0; press < 40; press += 1) {
    await page.keyboard.press("Tab");
    const { id, visible } = await page.evaluate(focusSeen);
    if (id !== null) reachedIds.add(id);
    assert.ok(visible, `focus on ${id} cannot be seen`);
  }
  assert.deepEqual(wanted.filter((id) => !reachedIds.has(id)), []);
  await context.close();
});

/** Runs in the page: what has the focus, and whether that shows. */
function focusSeen() {
  const element = document.activeElement;
  if (element === document.body) return { id: null, visible: true };
  const marks = [element, element.closest(".composer"), element.querySelector(".hit")].filter(Boolean);
  const visible = marks.some((each) => {
    const { outlineStyle, boxShadow, stroke } = getComputedStyle(each);
    return outlineStyle !== "none" || boxShadow !== "none" || stroke !== "none";
  });
  return { id: element.dataset.testid ?? null, visible };
}

/** Checks what can be checked by machine of a screen's access. */
async function sound(page, what) {
  const faults = await page.evaluate(inspect);
  assert.deepEqual(faults, [], what);
}

/** Runs in the page: controls without a name, things that stick out, text too faint to read. */
function inspect() {
  const faults = [];
  const shown = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 1;
  const nameOf = (element) =>
    element.getAttribute("aria-label") ?? (element.labels?.[0]?.textContent || element.textContent).trim();
  for (const each of document.querySelectorAll("button, input, select, [role], [tabindex]")) {
    const anonymous = ["status", "group"].includes(each.getAttribute("role")) || each.tabIndex === -1;
    if (shown(each) && !anonymous && nameOf(each) === "") faults.push(`no name: ${each.outerHTML.slice(0, 80)}`);
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.push(`wider than the screen: ${document.documentElement.scrollWidth}`);
  for (const each of document.querySelectorAll("button")) {
    const { width, height } = each.getBoundingClientRect();
    if (shown(each) && Math.min(width, height) < 24) faults.push(`too small to press: ${nameOf(each)}`);
    if (shown(each) && cutOff(each)) faults.push(`cut off: ${nameOf(each)}`);
  }
  for (const each of document.querySelectorAll("p, span, h1, h2, dt, dd, li, time, button, b, code, kbd")) {
    const own = [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
    if (!own || !shown(each) || each.closest("[aria-hidden=true], .visually-hidden, :disabled")) continue;
    const ratio = contrastOf(each);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${each.className} ${each.textContent.slice(0, 30)}`);
  }
  return faults;

  function cutOff(element) {
    const { right } = element.getBoundingClientRect();
    for (let box = element.parentElement; box !== null; box = box.parentElement) {
      const { overflowX } = getComputedStyle(box);
      if (overflowX === "auto" || overflowX === "scroll") return false;
      if (overflowX !== "visible" && right > box.getBoundingClientRect().right) return true;
    }
    return right > innerWidth;
  }

  function contrastOf(element) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const ink = canvas.getContext("2d", { willReadFrequently: true });
    const behind = [];
    for (let each = element; each !== null; each = each.parentElement) behind.unshift(getComputedStyle(each).backgroundColor);
    const [ground] = [behind.map((color) => paint(ink, color)).at(-1)];
    const text = paint(ink, getComputedStyle(element).color);
    const [light, dark] = [luminance(ground), luminance(text)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  }
  function paint(ink, color) {
    ink.fillStyle = color;
    ink.fillRect(0, 0, 1, 1);
    return [...ink.getImageData(0, 0, 1, 1).data];
  }
  function luminance([red, green, blue]) {
    const [r, g, b] = [red, green, blue].map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
}
