// The nodes that load another file at their next boot.
import { byId, el, keyed, mark, say } from "./dom.js";
import { clock, plural, span, time } from "./format.js";
import { get, post } from "./live.js";

let about = { token_path: "" };
let asked = 0;

// name is how the node of an order is called.
const name = (o) => o.host || o.macs[0];

// marked fetches the orders, also those that were carried out lately.
export const marked = () => get("api/boots?taken=1");

// refresh brings the list up to date; every few seconds are enough.
export async function refresh(now, force) {
  if (!force && Date.now() - asked < 3000) return;
  if (!asked) about = await get("api/page").catch(() => about);
  asked = Date.now();
  let list;
  try { list = await marked(); } catch (e) { return; } // the live connection tells
  list.sort((a, b) => Boolean(a.taken) - Boolean(b.taken) || time(b.since) - time(a.since));
  byId("boots").hidden = !list.length;
  const open = list.filter((o) => !o.taken).length;
  say(byId("boots-note"), open ? `${plural(open, "node")} ${open === 1 ? "loads" : "load"} another file at the next boot, once, and then what the configuration says.` : "All have loaded the file that was ordered, and boot as configured again.");
  byId("boots-token").hidden = !open || !about.token_path;
  say(byId("boots-token").firstElementChild.firstElementChild, `Token, from ${about.token_path}, to take one back`);
  keyed(byId("boots-list"), list, (o) => o.seq || name(o) + o.since, make, (e, o) => update(e, o, now));
}

function make(o) {
  return el("li", {}, el("span", { class: "dot" }), el("a", { href: `#/node/${encodeURIComponent(o.macs[0])}` }), el("code"), el("span", { class: "state" }),
    el("button", { type: "button", class: "button", click: () => remove(o), text: "Take it back", "aria-label": `Take back the order of ${name(o)}` }));
}

function update(e, o, now) {
  const [dot, node, file, state, button] = e.children;
  mark(dot, "data-state", o.taken ? "done" : "booting");
  say(node, name(o));
  mark(node, "title", o.macs.join(", "));
  say(file, o.file);
  say(state, words(o, now));
  button.hidden = Boolean(o.taken) || !about.token_path;
}

// words say what has become of an order.
export function words(o, now) {
  if (o.taken) return `loaded at ${clock(time(o.taken))}, ordered at ${clock(time(o.since))}`;
  return `waits for its next boot, since ${clock(time(o.since))} (${span(now - time(o.since))})`;
}

async function remove(o) {
  const said = byId("boots-said"), token = byId("boots-token").querySelector("input");
  if (!token.value) {
    said.dataset.ok = "false";
    say(said, `This needs the token in ${about.token_path}, which root can read.`);
    token.focus();
    return;
  }
  try {
    await post(`control/boot/${encodeURIComponent(o.macs[0])}`, null, token.value, "DELETE");
    said.dataset.ok = "true";
    say(said, `${name(o)} boots as configured.`);
  } catch (e) { said.dataset.ok = "false"; say(said, e.message); }
  refresh(Date.now(), true);
}
