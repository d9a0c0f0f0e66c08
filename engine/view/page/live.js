// Talking to the server: requests, and the stream of what changes.

// get fetches JSON; an error bears the server's words.
export async function get(path) {
  const r = await fetch(path, { headers: { Accept: "application/json" } });
  return answer(r);
}

// post sends JSON with the token.
export async function post(path, body, token, method = "POST") {
  const r = await fetch(path, { method, headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` }, body: body === null ? undefined : JSON.stringify(body) });
  return answer(r);
}

// text fetches plain words.
export async function text(path) {
  const r = await fetch(path);
  if (!r.ok) await answer(r);
  return r.text();
}

async function answer(r) {
  const got = await r.json().catch(() => ({}));
  if (!r.ok) throw new Error(got.error || `the server answered ${r.status}`);
  return got;
}

// listen keeps a stream of events open. on has summary, event, open and lost.
// While nobody looks at the page it costs the server nothing.
export function listen(on) {
  let source = null;
  const start = () => {
    if (source) return;
    source = new EventSource("api/events?only=summary,event");
    source.addEventListener("open", on.open);
    source.addEventListener("summary", (e) => on.summary(JSON.parse(e.data)));
    source.addEventListener("event", (e) => on.event(JSON.parse(e.data)));
    source.addEventListener("error", () => {
      on.lost();
      if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
      stop();
      setTimeout(() => { if (!document.hidden) start(); }, 3000);
    });
  };
  const stop = () => { if (source) source.close(); source = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  start();
}
