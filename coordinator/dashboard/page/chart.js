/* A chart with its legend and its table: what the picture shows, also for those who do not see it. */

import { chartWidget, LINES_MAX } from "./chart_widget.js";
import { h, widget } from "./dom.js";
import * as format from "./format.js";

const ROWS_PER_PAGE = 50;

/** The part of the time that all charts of a page show, kept in the address: "t=10-60"; null is all of it. */
export function spanOf(ui) {
  const parts = (ui.get("t") ?? "").split("-").map(format.momentSeconds);
  if (parts.some((part) => part === null)) {
    return null;
  }
  /* One moment: a minute around it. */
  const [from, to] = parts.length === 2 ? parts : [Math.max(0, parts[0] - 30), parts[0] + 30];
  return to > from ? [from, to] : null;
}

export function setSpan(ui, span) {
  ui.set("t", span === null ? null : span.map((second) => Number(second.toFixed(1))).join("-"));
}

function hiddenOf(ui, id) {
  const text = ui.get(`hide-${id}`);
  return text ? text.split(",").map(Number) : [];
}

function toggleLine(ui, id, index) {
  const hidden = hiddenOf(ui, id);
  const now = hidden.includes(index) ? hidden.filter((other) => other !== index) : [...hidden, index];
  ui.set(`hide-${id}`, now.length > 0 ? now.join(",") : null);
}

function swatch(index) {
  const number = (index % LINES_MAX) + 1;
  return h(
    "svg",
    { class: `swatch line-${number}`, width: 28, height: 8, "aria-hidden": "true" },
    h("line", { x1: 0, y1: 4, x2: 28, y2: 4 }),
  );
}

function legend(ui, id, lines, hidden, show) {
  return h(
    "div",
    { class: "legend" },
    lines.map(({ name, values }, index) => {
      const last = values.findLast((value) => value !== null && value !== undefined);
      return h(
        "button",
        {
          type: "button",
          "aria-pressed": String(!hidden.includes(index)),
          title: `Show or hide ${name}`,
          onclick: () => toggleLine(ui, id, index),
        },
        swatch(index),
        h("bdi", { class: "name" }, format.cut(name, 40)),
        " ",
        h("b", {}, last === undefined ? "–" : show(last)),
      );
    }),
  );
}

function pager(ui, key, page, pages) {
  const button = (text, to) =>
    h("button", { type: "button", disabled: to < 0 || to >= pages, onclick: () => ui.set(key, String(to)) }, text);
  return h(
    "p",
    { class: "pager" },
    button("Earlier", page - 1),
    ` ${page + 1} of ${pages} `,
    button("Later", page + 1),
  );
}

function numbers(ui, key, { title, t, lines, show }, span) {
  const shown = [];
  t.forEach((second, index) => {
    if (!span || (second >= span[0] && second <= span[1])) {
      shown.push(index);
    }
  });
  const pages = Math.max(1, Math.ceil(shown.length / ROWS_PER_PAGE));
  const page = Math.min(Math.max(0, Number(ui.get(key)) || 0), pages - 1);
  const part = shown.slice(page * ROWS_PER_PAGE, (page + 1) * ROWS_PER_PAGE);
  return [
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": `Table of ${title}` },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "time"),
            lines.map(({ name }) => h("th", { scope: "col", class: "number" }, h("bdi", {}, format.cut(name, 40)))),
          ),
        ),
        h(
          "tbody",
          {},
          part.map((index) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, format.moment(t[index])),
              lines.map(({ values }) =>
                h(
                  "td",
                  { class: "number" },
                  values[index] === null || values[index] === undefined ? "–" : show(values[index]),
                ),
              ),
            ),
          ),
        ),
      ),
    ),
    pages > 1 ? pager(ui, key, page, pages) : null,
  ];
}

/**
 * @param {object} ui what the reader has chosen; in the address
 * @param {{id: string, title: string, t: number[], lines: {name: string, values: number[], isSum: boolean}[],
 *          show: function(number): string, marks: {from: number, to: number, text: string}[], version: any}} data
 */
export function chart(ui, data) {
  const { id, title, t, show, marks = [], version = 0 } = data;
  const lines = data.lines.slice(0, LINES_MAX);
  const hidden = hiddenOf(ui, id);
  const span = spanOf(ui);
  const key = `rows-${id}`;
  const isOpen = ui.get(key) !== null;
  return h(
    "figure",
    { class: "chart-box", key: `chart-${id}` },
    h(
      "figcaption",
      {},
      title,
      " ",
      span
        ? h("button", { type: "button", class: "quiet", onclick: () => setSpan(ui, null) }, "show all the time")
        : null,
    ),
    legend(ui, id, lines, hidden, show),
    widget(chartWidget, {
      title,
      t,
      lines,
      hidden,
      span,
      marks,
      format: show,
      version,
      onSpan: (now) => setSpan(ui, now),
    }),
    marks.length > 0 ? h("p", { class: "note" }, "Shaded: ", marks.map(({ text }) => text).join(" · ")) : null,
    h(
      "details",
      {
        open: isOpen,
        ontoggle: (event) =>
          event.target.open !== (ui.get(key) !== null) && ui.set(key, event.target.open ? "0" : null),
      },
      h("summary", {}, "As a table"),
      isOpen ? numbers(ui, key, { title, t, lines, show }, span) : null,
    ),
  );
}
