/*
 * Findings in what the page shows now, one line each: names and roles, labels, headings, tables, and the contrast of
 * texts with what is drawn under them. The rules are those of WCAG 2.2 AA that a machine can hold. A function body.
 */
const findings = [];
const isShown = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? element.offsetParent !== null;
const all = (css) => [...document.querySelectorAll(css)].filter(isShown);
const where = (element) =>
  `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ${element.textContent.trim().slice(0, 40)}`;
const find = (rule, element) => findings.push(`${rule}: ${where(element)}`);
const textOf = (id) => document.getElementById(id)?.textContent.trim() ?? "";

function nameOf(element) {
  const by = (element.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean).map(textOf).join(" ");
  const label = element.labels?.length
    ? [...element.labels]
        .map((each) => each.textContent)
        .join(" ")
        .trim()
    : "";
  return (
    by || element.getAttribute("aria-label") || label || element.getAttribute("title") || element.textContent.trim()
  );
}

for (const element of all("button, a[href], summary, [role=button]")) {
  if (!nameOf(element)) {
    find("has no name", element);
  }
}
for (const element of all("input, select, textarea")) {
  const own =
    element.getAttribute("aria-label") ||
    (element.labels?.length && [...element.labels].some((each) => each.textContent.trim()));
  if (!own) {
    find("has no label", element);
  }
}
for (const element of all("[role=img], canvas, img, svg:not([aria-hidden])")) {
  if (
    !element.getAttribute("aria-label") &&
    !element.getAttribute("alt") &&
    !element.closest("[aria-hidden]") &&
    !element.closest("[role=group][aria-label]")
  ) {
    find("has no alternative", element);
  }
}
for (const element of all("[tabindex]")) {
  if (element.tabIndex > 0) {
    find("changes the order of Tab", element);
  }
  if (element.tabIndex === 0 && !nameOf(element)) {
    find("has the focus but no name", element);
  }
}
for (const element of all("[aria-hidden=true] :is(a, button, input, select, textarea)")) {
  find("is hidden from readers but takes the focus", element);
}
const ids = new Map();
for (const element of document.querySelectorAll("[id]")) {
  if (ids.has(element.id)) {
    find(`has the id ${element.id} of another`, element);
  }
  ids.set(element.id, element);
}
for (const element of document.querySelectorAll("[aria-describedby], [aria-controls], [aria-labelledby]")) {
  for (const id of ["aria-describedby", "aria-controls", "aria-labelledby"].flatMap((name) =>
    (element.getAttribute(name) ?? "").split(/\s+/).filter(Boolean),
  )) {
    if (!ids.has(id)) {
      find(`refers to ${id}, which is not there`, element);
    }
  }
}
let level = 0;
for (const element of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
  const own = Number(element.tagName[1]);
  if (own > level + 1) {
    find(`leaves out a level after ${level}`, element);
  }
  level = own;
}
for (const table of all("table")) {
  for (const cell of table.querySelectorAll("th")) {
    if (!cell.getAttribute("scope")) {
      find("is a head of what", cell);
    }
  }
}
if (!document.documentElement.lang) {
  findings.push("the page has no language");
}
if (!document.title) {
  findings.push("the page has no title");
}
if (document.querySelectorAll("main").length !== 1) {
  findings.push("the page has not one main");
}
if (document.querySelectorAll("h1").length !== 1) {
  findings.push("the page has not one h1");
}
for (const element of all("button, input, select, summary")) {
  const box = element.getBoundingClientRect();
  if (box.height < 16 || box.width < 16) {
    find(`is small: ${Math.round(box.width)}×${Math.round(box.height)}`, element);
  }
}
if (document.documentElement.scrollWidth > document.documentElement.clientWidth + 1) {
  findings.push(
    `the page is wider than the window: ${document.documentElement.scrollWidth} over ${document.documentElement.clientWidth}`,
  );
}

const numbers = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
function colourOf(text) {
  const [r, g, b, a = 1] = numbers(text);
  return { r, g, b, a };
}
const over = (top, under) => ({
  r: top.r * top.a + under.r * (1 - top.a),
  g: top.g * top.a + under.g * (1 - top.a),
  b: top.b * top.a + under.b * (1 - top.a),
  a: 1,
});
function groundOf(element) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const colour = colourOf(getComputedStyle(at).backgroundColor);
    layers.push(colour);
    if (colour.a === 1) {
      break;
    }
  }
  return layers.reverse().reduce((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
}
function luminance({ r, g, b }) {
  const [x, y, z] = [r, g, b]
    .map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const seen = new Set();
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (
    !walker.currentNode.data.trim() ||
    seen.has(element) ||
    !isShown(element) ||
    element.closest("button:disabled, option, .hidden, .skip, noscript")
  ) {
    continue;
  }
  seen.add(element);
  const style = getComputedStyle(element);
  const ground = groundOf(element);
  const colour = over(colourOf(element.closest("svg") ? style.fill : style.color), ground);
  const [light, dark] = [luminance(colour), luminance(ground)].sort((a, b) => b - a);
  const ratio = (light + 0.05) / (dark + 0.05);
  if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) {
    find(`has a contrast of ${ratio.toFixed(2)}`, element);
  }
}
return [...new Set(findings)];
