// The few ways in which this page is changed: text alone, never markup, and only where something is different.

/** Return the element with an id. */
export const byId = (id) => document.getElementById(id);

/** Return a new element of a class with children. */
export function make(tag, name = "", ...children) {
  const found = document.createElement(tag);
  if (name) found.className = name;
  found.append(...children);
  return found;
}

/** Set the text of an element. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set an attribute, or take it away for null. */
export function mark(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Show an element or hide it. */
export function show(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}

const kept = new WeakMap();

/**
 * Make the children of `parent` those of `items`, each known by its key: what stays is the same element, so that focus,
 * selection and scroll stay too. `build()` gives {element, …}, `fill(parts, item)` writes into it.
 */
export function keyed(parent, items, key, build, fill) {
  const before = kept.get(parent) ?? new Map();
  const now = new Map();
  for (const item of items) {
    const name = key(item);
    const parts = before.get(name) ?? build(item);
    now.set(name, parts);
    fill(parts, item);
  }
  for (const [name, { element }] of before) if (!now.has(name)) element.remove();
  let next = parent.firstChild;
  for (const { element } of now.values()) {
    if (element === next) next = next.nextSibling;
    else parent.insertBefore(element, next);
  }
  kept.set(parent, now);
}

/** Return a row whose first cell heads it; `names` are the classes of its cells. */
export function row(names) {
  const cells = names.map((name, i) => {
    const cell = make(i ? "td" : "th", name);
    if (!i) cell.scope = "row";
    return cell;
  });
  return { element: make("tr", "", ...cells), cells };
}

/** Return a cell's two lines: what it is, and beneath it what there is to say. */
export function lines(cell) {
  const [first, second] = [make("span", "first"), make("span", "second")];
  cell.append(first, second);
  return { first, second };
}

/** Return a bar inside a cell, for people who see; the number stands beside it. */
export function bar(cell, name) {
  const fill = make("span", "fill");
  cell.append(make("span", `bar ${name}`, fill));
  mark(cell, "aria-hidden", "true");
  return fill;
}

/** Fill a bar from its left to a fraction, at most whole. */
export function fillTo(fill, fraction) {
  const width = `${100 * Math.min(Math.max(fraction, 0), 1)}%`;
  if (fill.style.width !== width) fill.style.width = width;
}

/** Fill a bar from its middle, to the right for what is positive. */
export function fillFrom(fill, value, scale) {
  const half = scale > 0 ? 50 * Math.min(Math.abs(value) / scale, 1) : 0;
  fill.style.left = `${value < 0 ? 50 - half : 50}%`;
  fill.style.width = `${half}%`;
  mark(fill, "data-sign", value < 0 ? "minus" : "plus");
}
