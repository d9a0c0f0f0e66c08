// Numbers and times in words, each with its unit.

const whole = new Intl.NumberFormat("en");
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const count = (n) => whole.format(Math.round(n || 0));

// plural writes a count with its noun.
export const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

// parts splits a number of bytes into value and unit (powers of 1000).
export function parts(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 999.5 && i < units.length - 1) { n /= 1000; i++; }
  return [i === 0 || n >= 100 ? whole.format(Math.round(n)) : one.format(n), units[i]];
}

export const bytes = (n) => parts(n || 0).join(" ");

// rate writes a number per second.
export const rate = (n) => (n >= 10 ? whole.format(Math.round(n)) : one.format(n || 0));

// span writes milliseconds, as package span of the server does.
export function span(ms) {
  if (ms < 0.001) return "0 ms";
  if (ms < 0.995) return `${Math.round(ms * 1000)} µs`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 995) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 99.5) return `${Math.round(s)} s`;
  const m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
  const words = m < 60 ? [[m, "min"], [Math.floor(s % 60), "s"]] : h < 48 ? [[h, "h"], [m % 60, "min"]] : [[d, "d"], [h % 24, "h"]];
  return words.filter(([n]) => n > 0).map((w) => w.join(" ")).join(" ");
}

export const time = (s) => Date.parse(s);
export const clock = (t) => clockFormat.format(t);
export const day = (t) => dayFormat.format(t);

// known tells whether a time of the API is set.
export const known = (s) => Boolean(s) && !s.startsWith("0001");

// name is how a node is called.
export const name = (n) => n.host || n.mac;

export const stateWords = { booting: "booting", stuck: "stuck", done: "booted", system: "installed system" };
export const phaseWords = { discover: "asking for an address", offer: "offered", request: "lease to disk", lease: "has its lease", load: "loading a file", next: "between files", done: "booted" };
export const phases = ["discover", "offer", "request", "lease", "load", "next", "done"];

// niceStep is a round step so that most holds about n of them.
export function niceStep(most, n) {
  const raw = Math.max(most, 1e-9) / n;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].find((f) => f * power >= raw) * power;
}
