// The list of nodes with their waterfall: the page asks only for the rows that it
// shows, however many nodes there are.
import { axis, draw, scaleOf } from "./bars.js";
import { byId, el, keyed, mark, say } from "./dom.js";
import { bytes, count, name, phaseWords, plural, span, stateWords, time } from "./format.js";
import { get } from "./live.js";

const size = 50;
const chips = [["", "All"], ["stuck", "Stuck"], ["booting", "Booting"], ["done", "Booted"], ["system", "Installed"]];
const view = { text: "", state: "", sort: "worst", from: 0 };
let asked = 0; // the newest request: what comes for an older one is ignored
let busy = false, again = false;

export function setup() {
  const group = byId("states");
  for (const [state, text] of chips) {
    group.append(el("button", { type: "button", "data-state": state, "aria-pressed": String(state === ""), click: () => set({ state, from: 0 }) }, text, el("b", { class: "zero" })));
  }
  const filter = byId("filter");
  let wait;
  filter.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => set({ text: filter.value.trim(), from: 0 }), 120); });
  byId("sort").addEventListener("change", (e) => set({ sort: e.target.value, from: 0 }));
  byId("prev").addEventListener("click", () => turn(-size));
  byId("next").addEventListener("click", () => turn(size));
  document.addEventListener("keydown", (e) => {
    if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) || byId("overview").hidden) return;
    e.preventDefault();
    filter.focus();
  });
}

function turn(by) {
  set({ from: Math.max(0, view.from + by) });
  byId("nodes-title").scrollIntoView({ block: "start" });
}

// set changes what is shown; the address keeps it for reload and sharing.
export function set(change) {
  Object.assign(view, change);
  const q = new URLSearchParams();
  for (const k of ["text", "state"]) if (view[k]) q.set(k, view[k]);
  if (view.sort !== "worst") q.set("sort", view.sort);
  history.replaceState(null, "", q.size ? `#/?${q}` : "#/");
  show();
  load();
}

// fromAddress takes over what the address says.
export function fromAddress(query) {
  const q = new URLSearchParams(query);
  Object.assign(view, { text: q.get("text") || "", sort: q.get("sort") || "worst", from: 0 });
  view.state = chips.some(([s]) => s === q.get("state")) ? q.get("state") : "";
  byId("filter").value = view.text;
  byId("sort").value = view.sort;
  if (!byId("sort").value) byId("sort").value = view.sort = "worst";
  show();
  load();
}

function show() {
  for (const b of byId("states").children) mark(b, "aria-pressed", b.dataset.state === view.state);
}

// counts writes how many nodes each state has.
export function counts(s) {
  for (const b of byId("states").children) {
    const n = b.dataset.state === "" ? s.nodes : s.states[b.dataset.state] || 0;
    say(b.lastElementChild, count(n));
    mark(b.lastElementChild, "class", n ? "" : "zero");
  }
}

// load fetches the rows; one request at a time.
export async function load() {
  if (busy) { again = true; return; }
  busy = true;
  const mine = ++asked;
  try {
    const q = new URLSearchParams({ bars: "1", limit: size, from: view.from, sort: view.sort, text: view.text, state: view.state });
    const got = await get(`api/nodes?${q}`);
    if (mine === asked && !again) render(got);
  } catch (e) { /* the live connection tells when the server is gone */ }
  busy = false;
  if (again) { again = false; load(); }
}

function render({ total, nodes }) {
  if (!nodes.length && view.from > 0) { view.from = Math.max(0, Math.floor((total - 1) / size) * size); again = true; return; }
  const scale = scaleOf(nodes);
  const tick = axis(byId("axis"), scale, byId("axis").clientWidth < 320);
  keyed(byId("rows"), nodes, (n) => n.mac, make, (e, n) => update(e, n, scale, tick));
  byId("none").hidden = nodes.length > 0;
  if (!nodes.length) say(byId("none"), view.text || view.state ? "No node matches. Clear the filter, or choose another state." : "No node has asked for anything yet. If one is switched on, check its link, its VLAN and its boot order.");
  say(byId("where"), total ? `${count(view.from + 1)} – ${count(view.from + nodes.length)} of ${plural(total, "node")}` : plural(0, "node"));
  byId("prev").disabled = view.from === 0;
  byId("next").disabled = view.from + nodes.length >= total;
}

function make(n) {
  return el("li", { class: "row" },
    el("a", { href: `#/node/${n.mac}` },
      el("span", { class: "who" }, el("span", { class: "dot" }), el("b"), el("small")),
      el("span", { class: "what" }),
      el("span", { class: "took num" }),
      el("span", { class: "bars", "aria-hidden": "true" })));
}

function update(e, n, scale, tick) {
  const [who, what, took, box] = e.firstElementChild.children;
  mark(e, "data-state", n.state);
  mark(who.children[0], "data-state", n.state);
  say(who.children[1], name(n));
  say(who.children[2], [n.host ? n.mac : "", n.address].filter(Boolean).join(" · ") || "no address yet");
  say(what, now(n));
  say(took, spent(n));
  draw(box, n, scale, tick);
}

// spent is how long the boot took, or takes.
function spent(n) {
  const last = n.bars && n.bars.length ? n.bars[n.bars.length - 1].to : 0;
  if (n.state === "system") return "";
  return span(n.state === "done" && n.finished ? time(n.finished) - time(n.started) : last);
}

// now says in words how a node stands.
export function now(n) {
  switch (n.state) {
    case "stuck": return n.reason || `stuck: ${n.last}`;
    case "done": return `${stateWords.done}, ${bytes(n.bytes)}${n.resent ? `, ${plural(n.resent, "frame")} repeated` : ""}`;
    case "system": return stateWords.system;
  }
  if (n.phase === "load") return `${n.file} ${Math.round(n.percent)} %, ${bytes(n.rate)}/s`;
  if (n.phase === "next") return `after ${n.file}`;
  return phaseWords[n.phase] || n.phase;
}
