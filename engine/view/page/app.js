// Which page is shown, and what keeps it up to date.
import * as boots from "./boots.js";
import * as chart from "./chart.js";
import { byId, mark, say } from "./dom.js";
import { clock } from "./format.js";
import { get, listen } from "./live.js";
import * as node from "./node.js";
import * as overview from "./overview.js";
import * as rows from "./rows.js";

// route shows what the address says: #/node/MAC or #/?text=…&state=….
function route() {
  const [path, query] = location.hash.slice(1).split("?");
  const one = /^\/node\/(.+)$/.exec(path);
  byId("overview").hidden = Boolean(one);
  byId("node").hidden = !one;
  if (one) {
    scrollTo(0, 0);
    node.open(decodeURIComponent(one[1]));
    return;
  }
  node.close();
  rows.fromAddress(query || "");
}

let lostAt = 0;
let timer = 0;

function live(state, text) {
  mark(byId("live"), "data-state", state);
  say(byId("live").lastElementChild, text);
}

function lost() {
  lostAt = lostAt || Date.now();
  live("lost", "no connection");
  if (timer) return;
  // A moment without a connection is no news.
  timer = setTimeout(() => {
    byId("offline").hidden = false;
    say(byId("offline"), `No connection to bootstorm since ${clock(lostAt)}: what you see is from then. It is tried again every few seconds; if this stays, look at "systemctl status 'bootstorm@*'" on this machine.`);
  }, 3000);
}

async function opened() {
  clearTimeout(timer);
  timer = 0;
  lostAt = 0;
  byId("offline").hidden = true;
  live("live", "live");
  chart.history(await get("api/history").catch(() => []));
}

function summary(s) {
  live("live", "live");
  chart.add(s);
  overview.summary(s);
  rows.counts(s);
  if (byId("overview").hidden) return node.refresh(Date.parse(s.now));
  rows.load();
  boots.refresh(Date.parse(s.now));
}

// Events that come at once are shown at once.
let waiting = [];
function event(t) {
  if (!waiting.length) setTimeout(() => { overview.events(waiting.reverse()); waiting = []; }, 100);
  waiting.push(t);
}

async function past() {
  const r = await fetch("api/log?last=8&follow=0").catch(() => null);
  if (!r || !r.ok) return;
  const lines = (await r.text()).split("\n").filter(Boolean).map((l) => JSON.parse(l));
  overview.events(lines.reverse());
}

chart.setup();
rows.setup();
addEventListener("hashchange", route);
route();
past();
listen({ summary, event, open: opened, lost });
