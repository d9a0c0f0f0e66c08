// The whole at a glance: what is wrong in words, the rates, the reasons.
import { series } from "./chart.js";
import { byId, el, keyed, mark, say, svg } from "./dom.js";
import { clock, count, name, parts, plural, rate, span, time } from "./format.js";
import { get } from "./live.js";
import { set } from "./rows.js";

// summary shows a story.Summary.
export function summary(s) {
  const n = { done: s.states.done || 0, booting: s.states.booting || 0, stuck: s.states.stuck || 0, system: s.states.system || 0 };
  const all = n.done + n.booting + n.stuck;
  mark(byId("health"), "data-health", s.health);
  const [head, sub] = words(s, n, all);
  say(byId("headline"), head);
  say(byId("subline"), sub);
  const bar = byId("progress");
  for (const [i, k] of ["done", "booting", "stuck"].entries()) bar.children[i].style.width = all ? `${(n[k] / all) * 100}%` : "0";
  mark(bar, "aria-label", `${count(n.done)} booted, ${count(n.booting)} booting, ${count(n.stuck)} stuck`);
  // Why nodes are stuck has a place of its own below.
  const others = (s.problems || []).filter((p) => !/^[\d,]+ nodes? (is|are) stuck\b/.test(p));
  keyed(byId("problems"), others, (p) => p, () => el("li", {}, el("span")), (e, p) => say(e.firstElementChild, p));
  say(byId("about"), `${(s.interfaces || []).join(", ")} · version ${s.version} · up ${span(time(s.now) - time(s.started))}${s.lost ? ` · ${count(s.lost)} events lost, timelines have gaps` : ""}`);
  document.title = n.stuck ? `(${n.stuck} stuck) bootstorm` : all && n.booting ? `${Math.round((n.done / all) * 100)} % bootstorm` : "bootstorm";
  tiles(s);
  reasons(n.stuck);
}

// words is the answer to the one question: which nodes are missing?
function words(s, n, all) {
  const rest = n.system ? `; ${plural(n.system, "installed system")} renewed ${n.system === 1 ? "its lease" : "their leases"}` : "";
  if (s.health === "failing") return ["Nodes cannot be booted", `${count(n.done)} of ${plural(all, "node")} have booted`];
  if (!all) return ["No node is booting", n.system ? rest.slice(2) : "none has asked for anything since the daemon started"];
  const have = `${count(n.done)} ${n.done === 1 ? "has" : "have"} booted`;
  if (n.stuck) return [`${count(n.stuck)} of ${plural(all, "node")} ${n.stuck === 1 ? "is" : "are"} stuck`, n.booting ? `${have}, ${count(n.booting)} on ${n.booting === 1 ? "its" : "their"} way` : have];
  if (n.booting) return [`${count(n.booting)} of ${plural(all, "node")} ${n.booting === 1 ? "is" : "are"} booting`, `${have}, none is stuck`];
  return [all === 1 ? "The node has booted" : `All ${count(all)} nodes have booted`, `none is missing${rest}`];
}

function tiles(s) {
  const [sent, unit] = parts(s.rates.bytes);
  const list = [
    { k: "discovers", title: "DISCOVER messages", value: rate(s.rates.discovers), unit: "/s" },
    { k: "leases", title: "Leases given", value: rate(s.rates.leases), unit: "/s", spark: series("leases") },
    { k: "files", title: "Files delivered", value: rate(s.rates.files), unit: "/s" },
    { k: "bytes", title: "Data sent", value: sent, unit: `${unit}/s`, spark: series("bytes") },
    ...pools(s.pools || []),
  ];
  keyed(byId("tiles"), list, (t) => t.k, make, update);
}

// pools shows the fullest pool; the others are one number.
function pools(list) {
  if (!list.length) return [];
  const [p] = [...list].sort((a, b) => b.used / b.size - a.used / a.size);
  const more = list.length > 1 ? `Fullest of ${list.length} pools` : "Pool";
  return [{ k: "pool", wide: true, title: `${more} ${p.range.replace(" ", " – ")}`, value: count(p.used), unit: `of ${count(p.size)} used`, part: p.size ? p.used / p.size : 0 }];
}

function make(t) {
  return el("div", { class: `tile${t.wide ? " wide" : ""}` }, el("h3"), el("p", { class: "value" }, el("span"), el("small")),
    t.part === undefined ? svg("svg", { class: "spark", viewBox: "0 0 119 30", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("path"))
      : el("div", { class: "meter" }, el("span")));
}

function update(e, t) {
  const [title, value, extra] = e.children;
  say(title, t.title);
  mark(title, "title", t.title);
  say(value.firstElementChild, t.value);
  say(value.lastElementChild, t.unit);
  if (t.part !== undefined) {
    extra.firstElementChild.style.width = `${Math.min(100, t.part * 100)}%`;
    mark(extra, "data-full", t.part > 0.9);
  } else if (t.spark && t.spark.length > 1) {
    const top = Math.max(1, ...t.spark);
    const points = t.spark.map((v, i) => `${((i / (t.spark.length - 1)) * 119).toFixed(1)} ${(29 - (v / top) * 26).toFixed(1)}`);
    mark(extra.firstElementChild, "d", `M0 30L${points.join("L")}L119 30Z`);
  }
}

let due = 0; // when to ask again
let was = -1;
let every = false; // show all reasons
const few = 4;

// reasons asks why nodes are stuck; anew when their number changed, and else every
// few seconds.
async function reasons(stuck) {
  const now = performance.now();
  if (stuck === was && now < due) return;
  was = stuck;
  due = now + 5000;
  if (!stuck) { byId("missing").hidden = true; return; }
  let got;
  try { got = await get("api/stuck"); } catch (e) { return; }
  const all = byId("all-reasons");
  all.hidden = every || got.groups.length <= few;
  say(all, `and ${plural(got.reasons - few, "more reason")}`);
  all.onclick = () => { every = true; due = 0; reasons(was); };
  keyed(byId("reasons"), every ? got.groups : got.groups.slice(0, few), (g) => g.nodes[0].mac, () => el("li", {}, el("p", { class: "reason-count" }, el("span"), el("small")), el("div", {}, el("p", { class: "reason-text" }), el("p", { class: "chips" }))),
    (e, g) => group(e, g));
  byId("missing").hidden = got.groups.length === 0;
}

function group(e, g) {
  const [number, about] = e.children;
  say(number.firstElementChild, count(g.count));
  say(number.lastElementChild, g.count === 1 ? "node" : "nodes");
  say(about.firstElementChild, g.reason);
  const shown = g.nodes.slice(0, 5), more = g.count - shown.length;
  const list = [...shown.map((n) => ({ k: n.mac, text: name(n), href: `#/node/${n.mac}` })), ...(more > 0 ? [{ k: "more", text: `and ${count(more)} more` }] : []), { k: "since", text: `since ${clock(time(g.since))}` }];
  keyed(about.lastElementChild, list, (c) => c.k,
    (c) => (c.href ? el("a", { href: c.href }) : c.k === "more" ? el("button", { type: "button", click: () => { set({ state: "stuck", text: "", from: 0 }); byId("filter").value = ""; byId("nodes-title").focus(); } }) : el("span")),
    (x, c) => say(x, c.text));
}

const kinds = { "node-booted": "done", "node-stuck": "stuck", "node-recovered": "booting" };
let latest = [];

// event shows one thing that was told; many at once are folded to the last few.
export function events(list) {
  latest = [...list.map((t) => ({ ...t, k: `${t.at}${t.kind}${t.node ? t.node.mac : t.text}` })), ...latest].slice(0, 8);
  requestAnimationFrame(() => keyed(byId("events"), latest, (t) => t.k,
    () => el("li", {}, el("time"), el("span", { class: "dot" }), el("p")),
    (e, t) => {
      say(e.children[0], clock(time(t.at)));
      mark(e.children[1], "data-state", kinds[t.kind] || "stuck");
      say(e.children[2], t.text);
      mark(e.children[2], "title", t.text);
    }));
}
