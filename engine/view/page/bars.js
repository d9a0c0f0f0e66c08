// Bars of the waterfall and the axis above them.
import { el, mark } from "./dom.js";
import { niceStep, span } from "./format.js";

// scaleOf is how many milliseconds the widest row shows. What is still open does
// not count: a node that is stuck since noon must not squeeze the others.
export function scaleOf(nodes) {
  let most = 0;
  for (const n of nodes) for (const b of n.bars || []) if (!b.open) most = Math.max(most, b.to);
  return Math.max(2000, most * 1.12);
}

// axis writes the ticks and returns the distance of two in percent.
export function axis(box, scale, narrow) {
  const step = niceStep(scale, narrow ? 3 : 6);
  const ticks = [];
  for (let t = 0; t < scale * 0.92; t += step) {
    const e = el("span", { text: t === 0 ? "0" : t % 1000 || t > 90000 ? span(t) : `${t / 1000} s` });
    e.style.left = `${(t / scale) * 100}%`;
    ticks.push(e);
  }
  box.replaceChildren(...ticks);
  return (step / scale) * 100;
}

const words = { dhcp: "", file: "", wait: "", bad: "", stuck: "stuck: " };

// draw puts a node's bars into box.
export function draw(box, node, scale, tick) {
  box.style.setProperty("--tick", `${tick}%`);
  const bars = node.bars || [];
  const spans = bars.map((b, i) => {
    const e = box.children[i] || box.appendChild(el("span"));
    const to = Math.min(b.to, scale);
    mark(e, "class", `b-${b.kind}${b.open ? " open" : ""}`);
    mark(e, "title", `${words[b.kind] ?? ""}${b.text} (${span(b.to - b.from)})`);
    e.style.left = `${(b.from / scale) * 100}%`;
    e.style.width = b.open && b.kind === "stuck" ? `${Math.max(0, 100 - (b.from / scale) * 100)}%` : `${Math.max(0, ((to - b.from) / scale) * 100)}%`;
    return e;
  });
  let used = spans.length;
  if (node.state === "done" && bars.length) {
    const e = box.children[used] || box.appendChild(el("span"));
    mark(e, "class", "end");
    mark(e, "title", "booted");
    e.style.left = `${(bars[bars.length - 1].to / scale) * 100}%`;
    e.style.width = "";
    used++;
  }
  while (box.children.length > used) box.lastElementChild.remove();
}
