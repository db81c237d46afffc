/*
 * Descriptions of DOM trees, and their way into the document. A view is a function from data to a description
 * (a plain object), so it can be tested without a browser; patching changes only what differs, so focus, scroll
 * positions and open <details> survive an update. Text only ever becomes a text node or an attribute value:
 * there is no way from data to markup.
 */

const SVG = "http://www.w3.org/2000/svg";
/* Set as properties: the attribute is only what the control began with. */
const PROPERTIES = new Set(["value", "checked", "selected", "indeterminate"]);

/**
 * @typedef {{tag: string, props: object, kids: Node_[], key: ?(string|number), node?: Element}} Element_
 * @typedef {{text: string, key: null, node?: Text}} Text_
 * @typedef {{widget: Widget, data: any, key: ?(string|number), node?: Element}} Widget_
 * @typedef {Element_|Text_|Widget_} Node_
 * @typedef {{create: function(any): Element, update: function(Element, any): void,
 *            destroy: function(Element): void}} Widget
 */

/**
 * @returns {Node_[]} Nested arrays are flattened. What is left out keeps its place as an empty text, so that those after
 * it go on being the same nodes, with their focus, when it appears.
 */
function nodesOf(kids) {
  return kids.flat(Infinity).map((kid) => {
    const isLeftOut = kid === null || kid === undefined || typeof kid === "boolean";
    return typeof kid === "object" && kid !== null ? kid : { text: isLeftOut ? "" : String(kid), key: null };
  });
}

/**
 * Describes an element. `on…` of props are listeners, `style` is an object, true is an empty attribute,
 * null and false leave one out, `focus` gives the focus to an element when it appears.
 * @returns {Element_}
 */
export function h(tag, props, ...kids) {
  const { key = null, ...rest } = props ?? {};
  return { tag, props: rest, kids: nodesOf(kids), key };
}

/** Describes an element that a widget draws and updates by itself. @returns {Widget_} */
export function widget(kind, data, key = null) {
  return { widget: kind, data, key };
}

function listen(element, name, value) {
  element.listeners ??= {};
  if (!(name in element.listeners)) {
    element.addEventListener(name.slice(2), (event) => element.listeners[name]?.(event));
  }
  element.listeners[name] = value;
}

function setStyle(element, value, before) {
  for (const name of Object.keys(before ?? {})) {
    if (!(name in (value ?? {}))) {
      element.style.removeProperty(name);
    }
  }
  for (const [name, text] of Object.entries(value ?? {})) {
    if (before?.[name] !== text) {
      element.style.setProperty(name, text);
    }
  }
}

function setProperty(element, name, value, before) {
  if (name.startsWith("on")) {
    listen(element, name, value);
  } else if (name === "focus") {
    /* Given with what has just appeared: it is not in the document yet. */
    queueMicrotask(() => value && element.focus());
  } else if (name === "style") {
    setStyle(element, value, before);
  } else if (PROPERTIES.has(name)) {
    if (element[name] !== (value ?? "")) {
      element[name] = value ?? "";
    }
  } else if (name === "open") {
    /* The reader opens and closes <details>; only a change of the data does it instead. */
    if (value !== before) {
      element.open = Boolean(value);
    }
  } else if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else if (value !== before) {
    element.setAttribute(name, value === true ? "" : value);
  }
}

function setProperties(element, props, before, isOld = true) {
  for (const name of Object.keys(before)) {
    if (!(name in props)) {
      setProperty(element, name, name.startsWith("on") ? null : undefined, before[name]);
    }
  }
  for (const [name, value] of Object.entries(props)) {
    /* A `value` is compared with what the control shows, which the reader may have changed. */
    if ((value !== before[name] || PROPERTIES.has(name)) && (name !== "focus" || !isOld)) {
      setProperty(element, name, value, before[name]);
    }
  }
}

/** @param {Node_} node @param {?string} space the namespace @returns {Node} */
function create(node, space) {
  if ("text" in node) {
    node.node = document.createTextNode(node.text);
    return node.node;
  }
  if ("widget" in node) {
    node.node = node.widget.create(node.data);
    return node.node;
  }
  const inside = node.tag === "svg" ? SVG : space;
  const element = inside ? document.createElementNS(inside, node.tag) : document.createElement(node.tag);
  node.node = element;
  /* The options of a <select> have to be there before its value. */
  for (const kid of node.kids) {
    element.append(create(kid, inside));
  }
  setProperties(element, node.props, {}, false);
  return element;
}

function destroy(node) {
  if ("widget" in node) {
    node.widget.destroy(node.node);
  }
  for (const kid of node.kids ?? []) {
    destroy(kid);
  }
}

function isSame(before, node) {
  return before.key === node.key && before.tag === node.tag && before.widget === node.widget;
}

function update(before, node, space) {
  node.node = before.node;
  if ("text" in node) {
    if (node.text !== before.text) {
      node.node.data = node.text;
    }
  } else if ("widget" in node) {
    node.widget.update(node.node, node.data);
  } else if (node !== before) {
    const inside = node.tag === "svg" ? SVG : space;
    patchKids(node.node, before.kids, node.kids, inside);
    setProperties(node.node, node.props, before.props);
  }
}

/** Finds for each new node the old one that it continues: by key, or by its order among those without. */
function pair(before, kids) {
  const keyed = new Map();
  const others = [];
  for (const node of before) {
    if (node.key !== null) {
      keyed.set(node.key, node);
    } else {
      others.push(node);
    }
  }
  let next = 0;
  return kids.map((node) => {
    const old = node.key !== null ? keyed.get(node.key) : others[next++];
    keyed.delete(node.key);
    return old !== undefined && isSame(old, node) ? old : null;
  });
}

function patchKids(parent, before, kids, space) {
  const pairs = pair(before, kids);
  const kept = new Set(pairs);
  for (const node of before) {
    if (!kept.has(node)) {
      destroy(node);
      node.node.remove();
    }
  }
  let at = parent.firstChild;
  kids.forEach((node, index) => {
    const old = pairs[index];
    if (old !== null) {
      update(old, node, space);
    } else {
      create(node, space);
    }
    if (node.node === at) {
      at = at.nextSibling;
    } else {
      parent.insertBefore(node.node, at);
    }
  });
}

/** Makes the children of `parent` what `nodes` describe. */
export function patch(parent, nodes) {
  const list = nodesOf([nodes]);
  patchKids(parent, parent.described ?? [], list, null);
  parent.described = list;
}

/** The text of a description, for tests and for names that are read aloud. */
export function textOf(node) {
  return "text" in node ? node.text : (node.kids ?? []).map(textOf).join("");
}
