/* A report in one file: the views of the dashboard, one after the other, of what was frozen in the file. */

import { h, patch } from "../page/dom.js";
import { TABS } from "../page/routes.js";
import { deadlocks, title } from "../page/shell.js";
import { frozenSource } from "../page/source.js";
import { nameNode } from "../page/table.js";
import { comparison } from "./comparison.js";
import { FragmentUi } from "./fragment.js";
import { pictures } from "./pictures.js";

/** The rooms of a campaign are of the moment. */
const VIEWS = TABS.filter(({ name }) => name !== "rooms");

function contents(ui, sections) {
  return h("nav", { class: "tabs", "aria-label": "Parts of the report" }, h("ul", {}, sections.map(({ name, title: text }) =>
    h("li", { key: name }, h("a", { href: ui.link("view", name), onclick: (event) => {
      event.preventDefault();
      ui.set("view", name);
      show(name);
    } }, text)))));
}

function show(name) {
  const section = document.getElementById(`view-${name}`);
  section?.scrollIntoView();
  section?.focus({ preventScroll: true });
}

function report(data, ui) {
  const { model } = frozenSource(data);
  const { campaign } = model;
  campaign.version = 1;
  const shown = data.artifacts ?? [];
  const sections = [...VIEWS, ...(shown.length > 0 ? [{ name: "failed", title: "Failed steps", view: () => pictures(shown, data.pictures_left_out ?? 0) }] : [])];
  return [
    title(campaign), contents(ui, sections), deadlocks(campaign),
    sections.map(({ name, title: text, view }) => h("section", { key: name, id: `view-${name}`, class: "view", tabindex: -1, "aria-label": text },
      h("h2", {}, text), view(model, ui))),
  ];
}

function foot(data) {
  return h("footer", {}, h("p", { class: "note" }, "Written by tutti ", nameNode(data.version ?? ""), ". This file needs nothing else, and asks nobody."));
}

function main() {
  const data = JSON.parse(document.getElementById("data").textContent);
  let isDue = false;
  const draw = () => {
    isDue = false;
    patch(document.getElementById("page"), [h("main", { id: "main" }, data.comparison ? comparison(data, ui) : report(data, ui)), foot(data)]);
  };
  const ui = new FragmentUi(window.location, window.history, () => {
    if (!isDue) {
      isDue = true;
      requestAnimationFrame(draw);
    }
  });
  document.title = data.comparison ? "Runs compared · tutti" : `Campaign ${data.report.campaign} · tutti`;
  draw();
  show(ui.get("view"));
  window.addEventListener("hashchange", () => {
    draw();
    show(ui.get("view"));
  });
}

main();
