"use strict";
// The timeline of one call. Texts of the call go in by textContent alone.
const story = JSON.parse(document.getElementById("story").textContent);
const frame = document.getElementById("frame");
const detail = document.getElementById("detail");
const MIN_SPAN_MS = 500;
const end = Math.max(story.end_ms, 1000) + 300;

const make = (name, className, text) => {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};
const seconds = (ms) => (ms / 1000).toFixed(2) + " s";
const clock = (ms) => {
  const whole = Math.floor(ms / 1000);
  return Math.floor(whole / 60) + ":" + String(whole % 60).padStart(2, "0");
};
const plain = (name) => name.replaceAll("_", " ");
document.getElementById("length").textContent = seconds(story.end_ms);

// Things on the axis: {lane, from, to, row, node, show}. `to` absent: as wide as its text.
const items = [];
const add = (lane, item) => items.push({ lane, row: 0, ...item });

const lanes = [];
const lane = (name, row, pad = 6) => {
  lanes.push({ name, row, pad, rows: 1 });
  return lanes.length - 1;
};
const AXIS = lane("", 26, 0);
const SPEECH = lane("Caller", 24);
const WORDS = lane("Understood", 26);
const CAPTIONS = lane("Agent says", 26);
const STATES = lane("Agent is", 20);
const DECISIONS = lane("Decisions", 26);
const TURNS = lane("Latency", 22);
const NOTICES = lane("Notices", 26);

for (const span of story.speech) {
  add(SPEECH, {
    from: span.from, to: span.to, node: make("div", "item speech"),
    title: "Caller speaks", at: span, lines: ["for " + seconds(span.to - span.from)],
  });
}
for (const words of story.transcripts) {
  if (words.last) {
    const spans = story.speech.filter((span) => span.from < words.at);
    const span = spans[spans.length - 1];
    add(WORDS, {
      from: span ? span.from : words.at, to: words.at, text: true,
      node: make("div", "item final", words.text || "(nothing understood)"),
      title: "Understood, final", at: { from: words.at }, lines: [words.text || "(nothing)"],
    });
  } else {
    add(WORDS, {
      from: words.at, dot: true, node: make("div", "item partial"),
      title: "Understood so far", at: { from: words.at }, lines: [words.text],
    });
  }
}
let spokenUntil = 0;
for (const caption of story.captions) {
  const never = caption.from === null;
  const node = make("div", "item caption" + (never ? " never" : ""));
  const rest = caption.text.slice(caption.heard.length);
  node.append(make("span", "", caption.heard), make("span", "unheard", rest));
  const from = never ? caption.asked : caption.from;
  const to = never ? undefined : (caption.to ?? story.end_ms);
  // The next sentence is sent while the end of this one is on its way: drawn one behind the other.
  const drawn = !never && spokenUntil - from < 500 ? Math.max(from, Math.min(spokenUntil, to)) : from;
  if (!never) spokenUntil = to;
  add(CAPTIONS, {
    from: drawn, to, text: true, node,
    title: never ? "Made, but never played" : rest ? "Agent says; struck out: not heard" : "Agent says; all was heard",
    at: { from, to: caption.to }, heard: caption.heard, unheard: rest,
  });
}
for (const state of story.states) {
  add(STATES, {
    from: state.from, to: state.to, node: make("div", "item state " + plain(state.state), state.state),
    title: "Agent is " + plain(state.state), at: state, lines: ["for " + seconds(state.to - state.from)],
  });
}
for (const made of story.decisions) {
  add(DECISIONS, {
    from: made.at, text: true, node: make("div", "item mark", plain(made.decision)),
    title: "Decision: " + plain(made.decision), at: { from: made.at }, lines: [made.why],
    // The nearest first: they matter most.
    list: [...made.led_by].reverse(),
  });
}
for (const turn of story.turns) {
  let before = 0;
  turn.stages.forEach(([name, ms], nth) => {
    add(TURNS, {
      from: turn.end + before, to: turn.end + ms, node: make("div", "item stage s" + Math.min(nth, 4)),
      title: "Turn " + turn.turn + ": " + name, at: { from: turn.end + before, to: turn.end + ms },
      lines: [name + " " + ms + " ms after the caller's end", turn.reason].filter(Boolean),
      list: turn.stages.map(([stage, at]) => stage + ": " + at + " ms"),
    });
    before = ms;
  });
  if (turn.stages.length) {
    add(TURNS, { from: turn.end + before, after: true, node: make("div", "item total", before + " ms") });
  }
}
for (const notice of story.notices) {
  add(NOTICES, {
    from: notice.at, text: true, node: make("div", "item mark note", notice.text),
    title: plain(notice.kind), at: { from: notice.at }, lines: [notice.text],
  });
}
items.sort((a, b) => a.lane - b.lane || a.from - b.from);

// What is pointed at or focused.
let chosen = null;
const show = (item) => {
  if (chosen) chosen.node.classList.remove("chosen");
  chosen = item;
  item.node.classList.add("chosen");
  detail.replaceChildren();
  const to = item.at.to === undefined || item.at.to === null ? "" : " to " + seconds(item.at.to);
  detail.append(make("h3", "", item.title + ", " + seconds(item.at.from) + to));
  if (item.heard !== undefined) {
    const words = make("p");
    words.append(make("span", "", item.heard), make("del", "", item.unheard));
    detail.append(words);
  }
  for (const line of item.lines || []) detail.append(make("p", "", line));
  if (item.list && item.list.length) {
    const list = make("ul");
    for (const line of item.list) list.append(make("li", "", line));
    detail.append(list);
  }
};
detail.append(make("p", "", "Nothing chosen. Audio was not recorded, so there is no waveform: the caller's bars are where speech was detected."));

// Built once; zooming only moves.
const names = make("div", "names");
const scroller = make("div", "scroller");
scroller.tabIndex = -1;
const field = make("div", "lanes");
const cursor = make("div", "cursor");
const rows = lanes.map((about) => {
  const row = make("div", "lane");
  row.setAttribute("role", "group");
  if (about.name) row.setAttribute("aria-label", about.name);
  field.append(row);
  return row;
});
const labels = lanes.map((about) => {
  const label = make("div", "", about.name);
  names.append(label);
  return label;
});
const stops = items.filter((item) => item.title);
stops.forEach((item, nth) => {
  item.node.tabIndex = nth === 0 ? 0 : -1;
  item.node.setAttribute("role", "img");
  const said = [item.title, seconds(item.at.from), ...(item.lines || []), item.heard || ""];
  item.node.setAttribute("aria-label", said.filter(Boolean).join(", "));
  item.node.addEventListener("pointerenter", () => show(item));
  item.node.addEventListener("focus", () => {
    stops.forEach((other) => { other.node.tabIndex = -1; });
    item.node.tabIndex = 0;
    show(item);
  });
});
for (const item of items) rows[item.lane].append(item.node);
field.append(cursor);
scroller.append(field);
frame.append(names, scroller);

const STEPS_MS = [50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000, 600000];
const GAP = 3;
// Room behind the end for the text of the last things.
const TAIL_PX = 110;
let perMs = 1;
let axis = [];

// Rows within a lane, so that nothing covers anything: the first row that is free. Seen from so far
// that it would take more rows than this, a lane is one row of slim marks.
const ROWS_MAX = 6;
const SLIM_PX = 5;
const ONE_ROW = new Set([SPEECH, STATES, TURNS]);
const place = () => {
  lanes.forEach((about, lane) => {
    const mine = items.filter((item) => item.lane === lane);
    about.rows = spread(mine, ONE_ROW.has(lane), false);
    if (about.rows > ROWS_MAX) about.rows = spread(mine, true, true);
  });
};
const spread = (mine, one, slim) => {
  const ends = [];
  for (const item of mine) {
    const left = item.from * perMs;
    const free = slim ? SLIM_PX : Math.min(item.wide, 220);
    const span = Math.max((item.to - item.from) * perMs, 4);
    const width = item.dot ? 8 : item.to === undefined ? free : span;
    // Dots lie in one row of their own under the words.
    let row = one || item.dot ? 0 : ends.findIndex((x) => x <= left + 1);
    if (row < 0) row = ends.length;
    if (!item.dot) ends[row] = Math.max(ends[row] || 0, left + width);
    Object.assign(item, { left, width, nth: row });
    if (row >= ROWS_MAX && !slim) break;
  }
  return Math.max(1, ends.length);
};
// All at once: reading a width between two changes lays the whole page out again.
const measure = () => {
  const free = items.filter((item) => (item.text || item.after) && item.to === undefined);
  free.forEach((item) => { item.node.style.width = "auto"; });
  free.forEach((item) => { item.wide = Math.ceil(item.node.getBoundingClientRect().width) + 2; });
};
// Below this, no text fits beside a turn.
const FAR_PX_PER_S = 15;
const draw = () => {
  place();
  field.classList.toggle("far", perMs * 1000 < FAR_PX_PER_S);
  field.style.width = Math.floor(end * perMs + TAIL_PX) + "px";
  lanes.forEach((about, nth) => {
    const height = about.pad * 2 + about.rows * about.row + (about.rows - 1) * GAP + (nth === WORDS ? 10 : 0);
    rows[nth].style.height = labels[nth].style.height = height + "px";
  });
  for (const item of items) {
    const about = lanes[item.lane];
    const style = item.node.style;
    style.left = (item.dot ? item.left - 4 : item.after ? item.left + 6 : item.left) + "px";
    // A hair of room between neighbours.
    style.width = Math.max(item.width - 2, 2) + "px";
    item.node.classList.toggle("narrow", item.width < 30);
    const below = item.dot ? about.rows * (about.row + GAP) + 1 : item.nth * (about.row + GAP);
    style.top = about.pad + below + "px";
    style.height = (item.dot ? 6 : about.row - 2) + "px";
  }
  axis.forEach((node) => node.remove());
  axis = [];
  const step = STEPS_MS.find((ms) => ms * perMs >= 70) || 600000;
  // Only what is in sight and a screen around it.
  const from = Math.max(0, Math.floor((scroller.scrollLeft - scroller.clientWidth) / perMs / step) * step);
  const to = Math.min(end, (scroller.scrollLeft + 2 * scroller.clientWidth) / perMs);
  for (let at = from; at <= to; at += step) {
    const line = make("div", "grid");
    const tick = make("div", "tick", clock(at) + (step < 1000 ? "." + String(at % 1000).padStart(3, "0").slice(0, 2) : ""));
    line.style.left = tick.style.left = at * perMs + "px";
    field.prepend(line);
    rows[AXIS].append(tick);
    axis.push(line, tick);
  }
};
const zoom = (to, aroundPx = scroller.clientWidth / 2) => {
  const at = (scroller.scrollLeft + aroundPx) / perMs;
  const widest = scroller.clientWidth / MIN_SPAN_MS;
  perMs = Math.min(Math.max(to, (scroller.clientWidth - TAIL_PX) / end), widest);
  draw();
  scroller.scrollLeft = at * perMs - aroundPx;
};
const fit = () => zoom(0);
measure();

document.getElementById("in").addEventListener("click", () => zoom(perMs * 1.6));
document.getElementById("out").addEventListener("click", () => zoom(perMs / 1.6));
document.getElementById("fit").addEventListener("click", fit);
scroller.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  const left = scroller.getBoundingClientRect().left;
  zoom(perMs * Math.exp(-event.deltaY / 300), event.clientX - left);
}, { passive: false });
let drawn = 0;
scroller.addEventListener("scroll", () => {
  if (Math.abs(scroller.scrollLeft - drawn) > scroller.clientWidth / 2) {
    drawn = scroller.scrollLeft;
    draw();
  }
});
scroller.addEventListener("pointermove", (event) => {
  cursor.style.display = "block";
  cursor.style.left = event.clientX - field.getBoundingClientRect().left + "px";
});
scroller.addEventListener("pointerleave", () => { cursor.style.display = "none"; });
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "+" || event.key === "=") return zoom(perMs * 1.6);
  if (event.key === "-") return zoom(perMs / 1.6);
  if (event.key === "0") return fit();
  const here = stops.findIndex((item) => item.node === document.activeElement);
  if (here < 0) return;
  const jump = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  let next = jump && stops[here + jump];
  if (event.key === "ArrowDown") next = stops.find((item) => item.lane > stops[here].lane);
  if (event.key === "ArrowUp") next = stops.findLast((item) => item.lane < stops[here].lane);
  if (next) {
    event.preventDefault();
    next.node.focus();
  }
});
addEventListener("resize", () => zoom(perMs));
fit();
// A long call begins at a scale at which words can be read.
const READABLE_SPAN_MS = 12000;
if (end > READABLE_SPAN_MS * 1.5) {
  zoom(scroller.clientWidth / READABLE_SPAN_MS, 0);
  scroller.scrollLeft = 0;
}
