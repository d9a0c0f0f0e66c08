// One node: how its boot went, why it stands still, what it would be told now.
import { axis, draw, scaleOf } from "./bars.js";
import * as boots from "./boots.js";
import { byId, el, keyed, mark, say } from "./dom.js";
import { bytes, clock, count, day, known, name, phaseWords, plural, span, stateWords, time } from "./format.js";
import { frames } from "./frames.js";
import { get, post, text } from "./live.js";

let shown = ""; // MAC of the node that the page shows
let parts = null;
let serverTime = Date.now(); // of the last summary: the server's clock counts
let read = null; // reads the frames
let readAt = 0, readOf = ""; // when, and what the node had done by then
let about = { token_path: "" };

// open shows the page of a node.
export async function open(who) {
  shown = who;
  about = await get("api/page").catch(() => about);
  build(who);
  try { render(await get(`api/nodes/${encodeURIComponent(who)}`)); } catch (e) { say(parts.title, who); say(parts.sub, e.message); return; }
  explain();
  again();
  parts.title.focus();
}

export function close() { shown = ""; }

// refresh brings the open page up to date.
export async function refresh(time) {
  serverTime = time;
  if (!shown) return;
  const who = shown;
  try { const n = await get(`api/nodes/${encodeURIComponent(who)}`); if (who === shown) { render(n); again(n); } } catch (e) { /* the live connection tells */ }
}

// again reads the frames if there are new ones, and the order of the node: not so
// often that it costs the server much.
function again(n) {
  if (Date.now() - readAt < 2000) return;
  ordered();
  if (n && readOf === n.seen) return;
  readAt = Date.now();
  if (n) readOf = n.seen;
  read();
}

function build(who) {
  let section;
  [section, read] = frames(who);
  readAt = 0;
  readOf = "";
  parts = {
    title: el("h1", { tabindex: "-1" }), pill: el("span", { class: "pill" }), sub: el("p", { class: "sub" }),
    why: el("section", { class: "card why", "aria-labelledby": "why-title", hidden: true }), axis: el("div", { class: "axis", "aria-hidden": "true" }), bars: el("div", { class: "bars", "aria-hidden": "true" }),
    steps: el("ol", { class: "steps" }), omitted: el("p", { class: "note", hidden: true }), facts: el("dl", { class: "facts" }), mac: "", ordered: el("p", { class: "ordered", hidden: true }), explain: el("pre", { tabindex: "0", text: "asking the engine…" }),
  };
  byId("node").replaceChildren(
    el("div", { class: "node-head" }, el("a", { class: "back", href: "#/", text: "← All nodes" }), el("div", { class: "node-title" }, parts.title, parts.pill), parts.sub),
    parts.why,
    el("div", { class: "line" },
      el("section", { class: "card", "aria-labelledby": "line-title" }, el("h2", { id: "line-title", text: "This boot" }), el("div", { class: "big" }, parts.axis, parts.bars), parts.omitted, parts.steps),
      el("section", { class: "card" }, el("div", { class: "card-head" }, el("h2", { text: "What it would be told now" }), el("button", { type: "button", class: "button", text: "Ask again", click: explain })), parts.explain)),
    el("div", { class: "side" },
      el("section", { class: "card" }, el("h2", { text: "The node" }), parts.facts),
      order(who)),
    section);
}

// ordered says which file was ordered for the node, if any was.
async function ordered() {
  const who = shown, mac = parts.mac;
  const list = await boots.marked().catch(() => []);
  if (who !== shown) return;
  const own = list.filter((o) => o.macs.includes(mac)).sort((a, b) => time(b.since) - time(a.since))[0];
  parts.ordered.hidden = !own;
  if (own) say(parts.ordered, `${own.file}: ${boots.words(own, serverTime)}.`);
}

async function explain() {
  const pre = parts.explain;
  try { say(pre, await text(`api/nodes/${encodeURIComponent(shown)}/explain`)); } catch (e) { say(pre, e.message); }
}

// order is the form that chooses what the node boots next.
function order(who) {
  if (!about.token_path) {
    return el("section", { class: "card" }, el("h2", { text: "Its next boot" }), parts.ordered, el("p", { class: "note" }, "Choose another file for it on this machine, as root: ", el("code", { text: `bootstorm boot ${who} --once FILE` })));
  }
  const file = el("input", { type: "text", name: "file", required: true, maxlength: "255", placeholder: "rescue.ipxe", autocomplete: "off", spellcheck: "false" });
  const once = el("input", { type: "checkbox", name: "once", checked: true });
  const token = el("input", { type: "password", name: "token", required: true, maxlength: "128", autocomplete: "off" });
  const said = el("p", { class: "said", role: "status" });
  const send = async (e, body, words) => {
    e.preventDefault();
    try {
      await (body ? post("control/boot", body(), token.value) : post(`control/boot/${encodeURIComponent(who)}`, null, token.value, "DELETE"));
      said.dataset.ok = "true"; say(said, words()); ordered();
    } catch (err) { said.dataset.ok = "false"; say(said, err.message); }
  };
  return el("section", { class: "card" }, el("h2", { text: "Its next boot" }), parts.ordered,
    el("form", { class: "form", submit: (e) => send(e, () => ({ node: who, file: file.value.trim(), once: once.checked }), () => `Its next boot loads ${file.value.trim()}.`) },
      el("label", {}, "File below the TFTP root", file),
      el("label", { class: "check" }, once, "once, then as before"),
      el("label", {}, `Token, from ${about.token_path}`, token),
      el("p", { class: "buttons" }, el("button", { class: "button main", text: "Boot this file" }),
        el("button", { type: "button", class: "button", text: "Take it back", click: (e) => send(e, null, () => "It boots as the configuration says.") })),
      said));
}

function render(n) {
  parts.mac = n.mac;
  say(parts.title, name(n));
  say(parts.pill, stateWords[n.state] || n.state);
  mark(parts.pill, "data-state", n.state);
  say(parts.sub, subline(n));
  why(n);
  const scale = scaleOf([n]);
  draw(parts.bars, n, scale, axis(parts.axis, scale, parts.axis.clientWidth < 420));
  parts.omitted.hidden = !n.omitted;
  if (n.omitted) say(parts.omitted, `${plural(n.omitted, "earlier step")} did not fit and ${n.omitted === 1 ? "is" : "are"} left out.`);
  steps(n);
  facts(n);
}

function subline(n) {
  if (n.state === "done" && known(n.finished)) return `booted in ${span(time(n.finished) - time(n.started))}, ${bytes(n.bytes)}`;
  if (n.state === "booting") return n.phase === "load" ? `loading ${n.file}, ${Math.round(n.percent)} %` : phaseWords[n.phase];
  return "";
}

function why(n) {
  parts.why.hidden = n.state !== "stuck";
  if (parts.why.hidden || parts.why.dataset.reason === n.reason + n.last) return;
  parts.why.dataset.reason = n.reason + n.last;
  parts.why.replaceChildren(el("h2", { id: "why-title", text: "Why it stands still" }), el("p", { class: "reason", text: n.reason }),
    el("dl", {}, el("dt", { text: "Seen last" }), el("dd", { text: `${n.last}, ${clock(time(n.seen))}` }),
      n.expected ? [el("dt", { text: "Expected next" }), el("dd", { text: n.expected })] : null));
}

function kind(s) {
  if (s.bad) return "m-bad";
  if (s.kind === "transfer_done") return "m-done";
  if (s.kind.startsWith("transfer")) return "m-file";
  return "m-dhcp";
}

// steps writes the timeline; a pause of more than a second is a line of its own.
function steps(n) {
  const start = time(n.started), list = [];
  let last = start;
  n.steps.forEach((s, i) => {
    const at = time(s.at);
    if (at - last > 1000 && !(s.took && s.took / 1e6 > at - last - 200)) list.push({ k: `gap${i}`, gap: span(at - last) });
    list.push({ k: `${i}${s.kind}`, s, at: at - start });
    last = at;
  });
  if (n.state === "stuck") list.push({ k: "silence", gap: span(serverTime - last), then: n.expected });
  keyed(parts.steps, list, (x) => x.k, () => el("li", {}, el("span", { class: "at" }), el("span", { class: "mark" }), el("div", { class: "text" })), (e, x) => {
    mark(e, "class", x.gap ? "gap" : kind(x.s));
    say(e.children[0], x.gap ? "" : `+${span(x.at)}`);
    if (x.k === "silence") return say(e.children[2], `nothing more for ${x.gap}${x.then ? `; expected: ${x.then}` : ""}`);
    if (x.gap) return say(e.children[2], `${x.gap} later`);
    mark(e.children[0], "title", day(time(x.s.at)));
    say(e.children[2], x.s.text);
  });
}

function facts(n) {
  const rows = [["MAC address", n.mac], ["Host", n.host || "not declared"], ["Address", n.address || "none yet"], ["Software", n.client || "unknown"],
    ["Boot began", day(time(n.started))], ["Seen last", day(time(n.seen))], ["Data received", bytes(n.bytes)], ["Frames repeated", count(n.resent)],
    ["Asked again", plural(n.asked, "time")], ["Boots", `${count(n.boots)} since the daemon started`]];
  const flat = rows.flatMap(([k, v]) => [{ k: `t${k}`, tag: "dt", v: k }, { k: `d${k}`, tag: "dd", v }]);
  keyed(parts.facts, flat, (x) => x.k, (x) => el(x.tag), (e, x) => say(e, x.v));
}
