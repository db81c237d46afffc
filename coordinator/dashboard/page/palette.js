/* The colours of the style sheet for what is drawn on a canvas: looked up once, and again when the reader changes from light to dark. */

let known = new Map();
const listeners = new Set();

/** The value of a custom property such as "--grid". */
export function colour(name) {
  if (!known.has(name)) {
    known.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  }
  return known.get(name);
}

/** Calls `act` after the colours have changed. */
export function onColours(act) {
  listeners.add(act);
}

if (typeof window !== "undefined") {
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    known = new Map();
    listeners.forEach((act) => act());
  });
}
