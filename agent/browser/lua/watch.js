// Runs in the page, as the body of a function: waits until the condition `spec` holds, and timestamps that with the
// page's own clock. With a last argument that is a function it answers through that, after at most `patience`
// milliseconds; the same spec.id again continues the same watch. Without one it checks once.
//
// spec: id, frames (selectors, from frame to frame), by, value, within (an element or shadow root, or null),
// state ("present", "gone", "text"), visible, text, exact, pattern, left (ms until it is no longer queried).
// Answers: { pending, shown } or { at, at_once, polled, element, text } or { unreachable } or { invalid }.

const [spec, patience, reply] = arguments;
const TICK_MS = 100;
const REGISTRY = Symbol.for("tutti.watches");
const watches = window[REGISTRY] ??
  Object.defineProperty(window, REGISTRY, { value: new Map(), configurable: true })[REGISTRY];

function queryBy(root, by, value) {
  const owner = root.ownerDocument ?? root;
  switch (by) {
    case "css selector":
      return root.querySelector(value);
    case "tag name":
      return root.querySelector(CSS.escape(value));
    case "xpath":
      return owner.evaluate(value, root, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue;
    default: {
      const matches = by === "link text" ? text => text === value : text => text.includes(value);
      return [...root.querySelectorAll("a")].find(link => matches(link.innerText.trim())) ?? null;
    }
  }
}

function isVisible(element) {
  const style = element.ownerDocument.defaultView?.getComputedStyle(element);
  return element.isConnected && element.getClientRects().length > 0 && style?.visibility === "visible";
}

const isField = element => /^(input|textarea|select)$/i.test(element.localName);
const shownText = element => isField(element) ? element.value : element.innerText ?? element.textContent;
const plain = text => text.replace(/\u00a0/g, " ");
const squeezed = text => text.replace(/\s+/g, "").toLowerCase();

// innerText forces a layout, so it is read only if the raw text could match.
function matchingText(element) {
  if (spec.pattern === null && !isField(element)) {
    if (!squeezed(element.textContent).includes(squeezed(spec.text))) return null;
  }
  const text = shownText(element);
  const candidate = plain(text);
  if (spec.pattern !== null) return new RegExp(spec.pattern, "u").test(candidate) ? text : null;
  const wanted = plain(spec.text);
  const holds = spec.exact ? candidate.trim() === wanted.trim() : candidate.includes(wanted);
  return holds ? text : null;
}

class Unreachable extends Error {}

class Watch {
  constructor() {
    this.followed = new WeakSet();
    this.ears = new AbortController();
    this.observer = new MutationObserver(() => this.look(false));
    this.answer = null;
    this.isFirst = true;
  }

  // Is notified of everything that may change what this document shows.
  follow(root) {
    if (this.followed.has(root)) return;
    this.followed.add(root);
    this.observer.observe(root, { subtree: true, childList: true, characterData: true, attributes: true });
    for (const kind of ["input", "change", "load", "readystatechange", "transitionend", "animationend"])
      root.addEventListener(kind, () => this.look(false), { capture: true, passive: true, signal: this.ears.signal });
  }

  innermostRoot() {
    let root = spec.within ?? document;
    for (const selector of spec.frames) {
      this.follow(root.getRootNode());
      const frame = root.querySelector(selector);
      if (!frame) return null;
      if (!frame.contentDocument) throw new Unreachable();
      root = frame.contentDocument;
    }
    this.follow(root.getRootNode());
    return root;
  }

  // The content of the answer, or null while there is nothing to report.
  found() {
    this.root = this.innermostRoot();
    const element = this.root && queryBy(this.root, spec.by, spec.value);
    this.element = element;
    if (spec.state === "gone") return !element || (spec.visible && !isVisible(element)) ? {} : null;
    if (!element || (spec.visible && !isVisible(element))) return null;
    if (spec.state === "present") return spec.frames.length === 0 ? { element } : {};
    const text = matchingText(element);
    return text === null ? null : { text };
  }

  // `polled`: there was no event to suggest that it might hold now.
  look(polled) {
    if (this.answer) return;
    try {
      const found = this.found();
      const at = performance.timeOrigin + performance.now();
      if (found) this.end({ ...found, at, polled: polled && !this.isFirst, at_once: this.isFirst });
    } catch (error) {
      this.end(error instanceof Unreachable ? { unreachable: true } : { invalid: String(error) });
    }
    this.isFirst = false;
  }

  hasOtherDocument() {
    try {
      return spec.frames.length > 0 && this.innermostRoot() !== this.root;
    } catch {
      return true;
    }
  }

  // Styles, properties and documents of frames change without an event.
  tick() {
    const isSilent = spec.visible || (this.element && isField(this.element)) || this.hasOtherDocument();
    if (isSilent) this.look(true);
  }

  listen() {
    this.look(true);
    if (this.answer) return;
    this.ticking = setInterval(() => this.tick(), TICK_MS);
    this.keepFor(spec.left);
  }

  // It is no longer queried after this many milliseconds.
  keepFor(leftMs) {
    clearTimeout(this.expiry);
    this.expiry = setTimeout(() => this.end({ expired: true }), leftMs + 1000);
  }

  end(answer) {
    this.answer = answer;
    this.observer.disconnect();
    this.ears.abort();
    clearInterval(this.ticking);
    clearTimeout(this.expiry);
    if (this.tell) this.tell();
    else if (answer.expired) watches.delete(spec.id);
  }

  state() {
    const text = this.element && spec.state === "text" ? shownText(this.element).slice(0, 100) : null;
    return { pending: true, found: Boolean(this.element), shown: text };
  }

  // Here `spec`, `patience` and `reply` are those of the request that began this watch, not of the current one.
  ask(done, patienceMs, leftMs) {
    const finish = answer => {
      clearTimeout(timer);
      this.tell = null;
      done(answer);
    };
    const timer = setTimeout(() => finish(this.state()), patienceMs);
    this.tell = () => {
      watches.delete(spec.id);
      finish(this.answer);
    };
    if (this.answer) this.tell();
    else this.keepFor(leftMs);
  }
}

if (typeof reply !== "function") {
  const once = new Watch();
  once.look(true);
  once.ears.abort();
  once.observer.disconnect();
  return once.answer ?? once.state();
}

let watch = watches.get(spec.id);
if (!watch) {
  watch = new Watch();
  watches.set(spec.id, watch);
  watch.listen();
}
watch.ask(reply, patience, spec.left);
