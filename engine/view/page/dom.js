// Elements without markup in strings: nothing that a node sends can become code.

// el makes an element. Of attrs, "text" is its text and functions are listeners.
export function el(tag, attrs = {}, ...children) {
  return fill(document.createElement(tag), attrs, children);
}

// svg makes an element of a drawing.
export function svg(tag, attrs = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attrs, children);
}

function fill(e, attrs, children) {
  for (const [name, value] of Object.entries(attrs)) {
    if (typeof value === "function") e.addEventListener(name, value);
    else if (name === "text") e.textContent = value;
    else if (value !== undefined && value !== null && value !== false) e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

export const byId = (id) => document.getElementById(id);

// say changes a text only if it differs, so that selections and readers of the
// screen are left alone.
export function say(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// mark changes an attribute only if it differs.
export function mark(e, name, value) {
  if (e.getAttribute(name) !== String(value)) e.setAttribute(name, value);
}

// keyed makes the children of list those of items, in order, and keeps the
// elements whose key was there before: focus and scroll position stay.
export function keyed(list, items, key, make, update) {
  const old = new Map();
  for (const c of list.children) old.set(c.dataset.key, c);
  let at = list.firstElementChild;
  for (const item of items) {
    const k = String(key(item));
    let e = old.get(k);
    if (e) old.delete(k);
    else { e = make(item); e.dataset.key = k; }
    update(e, item);
    if (e === at) at = at.nextElementSibling;
    else list.insertBefore(e, at);
  }
  for (const e of old.values()) e.remove();
}
