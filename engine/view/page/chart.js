// The storm: nodes per phase over time, as stacked areas with a line for those
// that are stuck. Drawn anew once a second; nothing of it moves by itself.
import { byId, el, keyed, say, svg } from "./dom.js";
import { clock, count, niceStep, phases, plural, time } from "./format.js";

const most = 900; // samples: 15 minutes of seconds
const room = { left: 44, right: 12, top: 10, bottom: 22 };
const short = { discover: "asking", offer: "offered", request: "lease to disk", lease: "leased", load: "loading", next: "between files", done: "booted" };
const ranges = [["storm", "Storm"], ["60", "1 min"], ["300", "5 min"], ["900", "15 min"]];

let samples = []; // {t, p: {phase: n}, stuck, bytes, leases}, oldest first
let range = "storm";
let cursor = null; // index among the shown samples
let shown = [];
let redraw = 0;

const box = () => byId("chart");

// setup makes what does not change.
export function setup() {
  const group = byId("ranges");
  for (const [value, text] of ranges) {
    group.append(el("button", { type: "button", "aria-pressed": String(value === range), text, click: (e) => {
      range = value;
      for (const b of group.children) b.setAttribute("aria-pressed", String(b === e.currentTarget));
      draw();
    } }));
  }
  const c = box();
  c.addEventListener("pointermove", (e) => point(nearest(e.clientX - c.getBoundingClientRect().left)));
  c.addEventListener("pointerleave", () => point(null));
  c.addEventListener("blur", () => point(null));
  c.addEventListener("keydown", (e) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[e.key];
    if (e.key === "Escape") return point(null);
    if (!by || !shown.length) return;
    e.preventDefault();
    point(Math.min(shown.length - 1, Math.max(0, (cursor ?? shown.length - 1) + by)));
  });
  new ResizeObserver(draw).observe(c);
}

function point(i) {
  if (i === cursor) return;
  cursor = i;
  draw();
}

const sampleOf = (s) => ({ t: time(s.at), p: s.phases || {}, stuck: s.stuck, bytes: s.bytes, leases: s.leases });

// history replaces all samples.
export function history(list) {
  samples = list.map(sampleOf);
  draw();
}

// add appends the sample of a summary.
export function add(s) {
  const t = time(s.now);
  if (samples.length && t <= samples[samples.length - 1].t) return;
  samples.push({ t, p: s.phases || {}, stuck: s.states.stuck || 0, bytes: s.rates.bytes, leases: s.rates.leases });
  samples = samples.slice(-most);
  draw();
}

export const series = (what) => samples.slice(-120).map((s) => s[what]);

const total = (s) => phases.reduce((sum, p) => sum + (s.p[p] || 0), 0);

// from is the time at which the chart begins.
function from() {
  const end = samples[samples.length - 1].t;
  if (range !== "storm") return end - Number(range) * 1000;
  // The storm began when the number of nodes began to grow.
  const base = total(samples[0]);
  const begun = samples.findIndex((s) => total(s) > base);
  const t = begun < 0 ? end - 60000 : samples[begun].t - 3000;
  return Math.min(t, end - 30000);
}

function draw() {
  if (redraw) return;
  redraw = requestAnimationFrame(() => { redraw = 0; paint(); });
}

function paint() {
  const c = box();
  const width = c.clientWidth, height = c.clientHeight;
  if (!width || !samples.length) return;
  const end = samples[samples.length - 1].t, begin = from();
  shown = samples.filter((s) => s.t >= begin);
  const top = Math.max(4, ...shown.map((s) => Math.max(total(s), s.stuck)));
  const step = Math.max(1, niceStep(top * 1.04, height > 220 ? 5 : 4));
  const ceiling = Math.ceil(top / step) * step;
  const x = (t) => room.left + ((t - begin) / Math.max(1, end - begin)) * (width - room.left - room.right);
  const y = (n) => height - room.bottom - (n / ceiling) * (height - room.top - room.bottom);

  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  grid(drawing, { width, height, begin, end, step, ceiling, x, y });
  areas(drawing, x, y);
  if (shown.some((s) => s.stuck)) {
    const d = line(shown.map((s) => [x(s.t), y(s.stuck)]));
    drawing.append(svg("path", { class: "halo", d }), svg("path", { class: "line-stuck", d }));
  }
  const children = [drawing];
  if (cursor !== null && shown[cursor]) {
    const at = x(shown[cursor].t);
    drawing.append(svg("line", { class: "cross", x1: at, x2: at, y1: room.top, y2: height - room.bottom }));
    children.push(tip(shown[cursor], at, width));
  }
  c.replaceChildren(...children);
  legend(samples[samples.length - 1]);
}

const line = (points) => "M" + points.map(([a, b]) => `${a.toFixed(1)} ${b.toFixed(1)}`).join("L");

function grid(drawing, g) {
  for (let n = 0; n <= g.ceiling; n += g.step) {
    const at = Math.round(g.y(n)) + 0.5;
    drawing.append(svg("line", { class: "grid", x1: room.left, x2: g.width - room.right, y1: at, y2: at }),
      svg("text", { class: "tick", x: room.left - 8, y: at + 4, "text-anchor": "end", text: count(n) }));
  }
  const wide = (g.end - g.begin) / Math.max(2, Math.floor((g.width - 60) / 88));
  const every = [5, 10, 15, 30, 60, 120, 300].map((s) => s * 1000).find((s) => s >= wide) || 300000;
  for (let t = Math.ceil(g.begin / every) * every; t <= g.end; t += every) {
    const at = g.x(t);
    if (at > g.width - 34 || at < room.left + 10) continue;
    drawing.append(svg("text", { class: "tick", x: at, y: g.height - 5, "text-anchor": "middle", text: clock(t) }));
  }
}

// areas stacks the phases with what is done at the bottom.
function areas(drawing, x, y) {
  let base = shown.map(() => 0);
  for (const p of [...phases].reverse()) {
    const next = shown.map((s, i) => base[i] + (s.p[p] || 0));
    if (next.some((n, i) => n > base[i])) {
      const up = shown.map((s, i) => [x(s.t), y(next[i])]);
      const down = shown.map((s, i) => [x(s.t), y(base[i])]).reverse();
      drawing.append(svg("path", { class: `area area-${p}`, d: line([...up, ...down]) + "Z" }));
    }
    base = next;
  }
}

function tip(s, at, width) {
  const row = (k, text, n) => el("div", {}, el("span", {}, el("i", { class: `k-${k}` }), text), el("span", { text: count(n) }));
  const t = el("div", { class: "tip", role: "status" }, el("b", { text: clock(s.t) }),
    phases.filter((p) => s.p[p]).map((p) => row(p, short[p], s.p[p])), s.stuck ? row("stuck", "of them stuck", s.stuck) : null);
  t.style.transform = `translateX(${at > width / 2 ? `calc(${at - 14}px - 100%)` : `${at + 14}px`})`;
  return t;
}

function nearest(px) {
  if (!shown.length) return null;
  const begin = from(), end = samples[samples.length - 1].t;
  const t = begin + ((px - room.left) / Math.max(1, box().clientWidth - room.left - room.right)) * (end - begin);
  let best = 0;
  shown.forEach((s, i) => { if (Math.abs(s.t - t) < Math.abs(shown[best].t - t)) best = i; });
  return best;
}

function legend(s) {
  const rows = [...phases.map((p) => ({ k: p, text: short[p], n: s.p[p] || 0 })), { k: "stuck", text: "of them stuck", n: s.stuck }];
  keyed(byId("legend"), rows, (r) => r.k,
    (r) => el("li", {}, el("i", { class: `k-${r.k}` }), el("span", { text: r.text }), el("b")),
    (e, r) => say(e.lastElementChild, count(r.n)));
  byId("chart").setAttribute("aria-label", `Nodes per phase over time. Now: ${rows.filter((r) => r.n).map((r) => `${r.text} ${count(r.n)}`).join(", ") || plural(0, "node")}.`);
}
