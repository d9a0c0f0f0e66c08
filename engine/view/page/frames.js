// The last frames of a node, in words; each opens to all of its fields.
import { el, keyed, mark, say } from "./dom.js";
import { bytes, count, day, time } from "./format.js";
import { get } from "./live.js";

// frames makes the section and returns it with the function that brings it up to date.
export function frames(who) {
  const path = `api/nodes/${encodeURIComponent(who)}`;
  const note = el("p", { class: "note", role: "status", text: "reading the frames…" });
  const list = el("ol", { class: "frames", tabindex: "0", "aria-labelledby": "frames-title" });
  const load = async () => {
    let got;
    try { got = await get(`${path}/frames`); } catch (e) { say(note, e.message); return; }
    say(note, got.length ? `${got.length === 1 ? "1 entry" : `${count(got.length)} entries`}, the newest last. Open one for all of its fields. Of blocks and their acknowledgements the last are listed, what was sent at once as one entry; contents of files are not kept.` : "None of its frames is in memory any more.");
    const end = list.scrollTop + list.clientHeight > list.scrollHeight - 30;
    const first = !list.childElementCount;
    keyed(list, keys(got), (x) => x.k, make, update);
    if (first || end) list.scrollTop = list.scrollHeight; // whoever reads further up is left alone
  };
  const section = el("section", { class: "card across", id: "frames", "aria-labelledby": "frames-title" },
    el("div", { class: "card-head" }, el("h2", { id: "frames-title", text: "What it sent and was sent" }),
      el("button", { type: "button", class: "button", text: "Read again", click: load }),
      el("a", { class: "button", id: "capture", href: `${path}/capture.pcapng`, download: true, title: "for Wireshark, tcpdump or bench replay", text: "Download (pcapng)" })),
    note, list);
  return [section, load];
}

// keys tells frames apart, also those of one moment.
function keys(list) {
  const seen = new Map();
  return list.map((f) => {
    const k = `${f.at} ${f.sent} ${f.what}`;
    const n = seen.get(k) || 0;
    seen.set(k, n + 1);
    return { k: `${k} ${n}`, f };
  });
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

function make() {
  return el("li", {}, el("details", {}, el("summary", {}, el("time"), el("span", { class: "way" }), el("b"), el("span", { class: "peers" }), el("span", { class: "says" }), el("span", { class: "size" })), el("dl", { class: "fields" })));
}

function update(e, { f }) {
  const [at, way, what, peers, says, size] = e.firstElementChild.firstElementChild.children;
  mark(e, "class", `f-${f.protocol.toLowerCase()}${f.sent ? " sent" : ""}${f.what === "ERROR" || f.what === "NAK" || f.what === "malformed" ? " bad" : ""}`);
  say(at, clock.format(time(f.at)));
  mark(at, "title", day(time(f.at)));
  say(way, f.sent ? "→" : "←");
  mark(way, "title", f.sent ? `to the node, on ${f.interface}` : `from the node or to this server, on ${f.interface}`);
  mark(way, "aria-label", f.sent ? "sent" : "received");
  say(what, f.protocol === "DHCP" || f.protocol === "TFTP" ? f.what : `${f.protocol} ${f.what}`);
  say(peers, f.from ? `${f.from} → ${f.to}` : "");
  say(says, f.text);
  say(size, f.run > 1 ? `${count(f.run)} × ${bytes(f.length)}` : bytes(f.length));
  const fields = [{ name: "time", value: f.at }, { name: "interface", value: `${f.interface}, ${f.sent ? "sent" : "received"}` }, ...f.fields].flatMap((x, i) =>
    [{ k: `n${i}`, tag: "dt", text: x.code ? `${x.code} ${x.name}` : x.name, sub: x.code && x.code.includes(".") }, { k: `v${i}`, tag: "dd", text: x.value || " " }]);
  keyed(e.firstElementChild.lastElementChild, fields, (x) => x.k, (x) => el(x.tag, { class: x.sub ? "sub-option" : null }), (d, x) => say(d, x.text));
}
