/* A table to sort, to filter and to choose columns of. What the reader chose is in the address. */

import { h } from "./dom.js";
import * as format from "./format.js";

const ROWS_SHOWN = 50;
const NAME_CHARACTERS = 120;

/**
 * @typedef {{key: string, title: string, value: function(any): any, show: function(any): any, isText: boolean,
 *            isHidden: boolean}} Column `show` gives a text or nodes; texts sort from A, numbers from the largest
 */

/** A name that others have chosen: cut to a bearable length, whole in its title, in its own direction. */
export function nameNode(name) {
  const text = String(name);
  return h(
    "bdi",
    { class: "name", title: text.length > 60 ? format.cut(text, 1000) : null },
    format.cut(text, NAME_CHARACTERS),
  );
}

/** The columns that are shown: the reader's choice, else those that are not hidden. */
function chosen(ui, id, columns) {
  const text = ui.get(`cols-${id}`);
  const keys = text === null ? null : new Set(text.split(","));
  return columns.filter(({ key, isHidden }, index) => index === 0 || (keys ? keys.has(key) : !isHidden));
}

function sortOf(ui, id, columns, initial) {
  const [key, direction] = (ui.get(`sort-${id}`) ?? initial).split(":");
  const column = columns.find((candidate) => candidate.key === key) ?? columns[0];
  const isDown = direction ? direction === "down" : !column.isText;
  return { column, isDown };
}

/* One for all: making one for each comparison would cost more than all the rest. */
const collator = new Intl.Collator(undefined, { numeric: true });
const isMissing = (value) => value === null || value === undefined;

function compare(a, b) {
  return typeof a === "string" ? collator.compare(a, b) : a - b;
}

/** Rows that have the words of the filter, in order. */
export function arrange(rows, columns, { filter, column, isDown }) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const texts = columns.filter(({ isText }) => isText);
  const kept =
    words.length === 0
      ? rows
      : rows.filter((row) => {
          const text = texts
            .map(({ value }) => value(row))
            .join(" ")
            .toLowerCase();
          return words.every((word) => text.includes(word));
        });
  const sign = isDown ? -1 : 1;
  const keyed = kept.map((row) => [column.value(row), row]);
  keyed.sort(([a], [b]) => (isMissing(a) || isMissing(b) ? isMissing(a) - isMissing(b) : sign * compare(a, b)));
  return keyed.map(([, row]) => row);
}

function header(ui, id, column, sort) {
  const isSorted = sort.column.key === column.key;
  const next = isSorted ? !sort.isDown : !column.isText;
  return h(
    "th",
    {
      scope: "col",
      key: column.key,
      class: column.isText ? null : "number",
      "aria-sort": isSorted ? (sort.isDown ? "descending" : "ascending") : null,
    },
    h(
      "button",
      { type: "button", onclick: () => ui.set(`sort-${id}`, `${column.key}:${next ? "down" : "up"}`) },
      column.title,
      h("span", { "aria-hidden": "true" }, isSorted ? (sort.isDown ? " ▼" : " ▲") : ""),
    ),
  );
}

function chooser(ui, id, columns, shown) {
  const isShown = (column) => shown.includes(column);
  const toggle = (column) => {
    const now = columns.filter((other) => (other === column) !== isShown(other));
    ui.set(`cols-${id}`, now.map(({ key }) => key).join(","));
  };
  return h(
    "details",
    { class: "chooser" },
    h("summary", {}, "Columns"),
    h(
      "fieldset",
      {},
      h("legend", {}, "Columns to show"),
      columns
        .slice(1)
        .map((column) =>
          h(
            "label",
            {},
            h("input", { type: "checkbox", checked: isShown(column), onchange: () => toggle(column) }),
            " ",
            column.title,
          ),
        ),
    ),
  );
}

function bar(ui, id, { caption, columns, filterable }, shown, filter, counts) {
  return h(
    "div",
    { class: "bar" },
    filterable
      ? h(
          "label",
          {},
          "Filter ",
          h("input", {
            type: "search",
            value: filter,
            "aria-label": `Filter ${caption}`,
            oninput: (event) => ui.set(`find-${id}`, event.target.value || null),
          }),
        )
      : null,
    columns.some(({ isHidden }) => isHidden) ? chooser(ui, id, columns, shown) : null,
    counts.found < counts.all ? h("span", { class: "note", role: "status" }, `${counts.found} of ${counts.all}`) : null,
  );
}

/**
 * @param {{id: string, caption: string, columns: Column[], rows: any[], keyOf: function(any): any, sort: string,
 *          filterable: boolean, classOf: function(any): ?string, empty: string}} table
 */
export function dataTable(ui, table) {
  const { id, caption, columns, rows, keyOf, empty = "Nothing yet." } = table;
  const shown = chosen(ui, id, columns);
  const sort = sortOf(ui, id, columns, table.sort ?? columns[0].key);
  const filter = ui.get(`find-${id}`) ?? "";
  const found = arrange(rows, columns, { filter, ...sort });
  const limit = ROWS_SHOWN * Math.max(1, Number(ui.get(`more-${id}`)) || 1);
  const cell = (column, row, index) =>
    h(
      index === 0 ? "th" : "td",
      { key: column.key, scope: index === 0 ? "row" : null, class: column.isText ? null : "number" },
      column.show(row),
    );
  return h(
    "section",
    { class: "table-box", key: `table-${id}`, "aria-label": caption },
    bar(ui, id, table, shown, filter, { found: found.length, all: rows.length }),
    found.length === 0
      ? h("p", { class: "note" }, rows.length === 0 ? empty : "Nothing has these words.")
      : h(
          "div",
          { class: "scroll", tabindex: 0, role: "region", "aria-label": `${caption}, table` },
          h(
            "table",
            { key: "table" },
            h("caption", { class: "hidden" }, caption),
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                shown.map((column) => header(ui, id, column, sort)),
              ),
            ),
            h(
              "tbody",
              {},
              found.slice(0, limit).map((row) =>
                h(
                  "tr",
                  { key: keyOf(row), class: table.classOf?.(row) ?? null },
                  shown.map((column, index) => cell(column, row, index)),
                ),
              ),
            ),
          ),
        ),
    found.length > limit
      ? h(
          "p",
          {},
          h(
            "button",
            { type: "button", onclick: () => ui.set(`more-${id}`, String(limit / ROWS_SHOWN + 1)) },
            `Show ${Math.min(ROWS_SHOWN, found.length - limit)} more of ${found.length}`,
          ),
        )
      : null,
  );
}

/** Columns by their kind. */
export const text = (key, title, value, more) => ({
  key,
  title,
  value,
  show: (row) => nameNode(value(row) ?? ""),
  isText: true,
  ...more,
});
export const number = (key, title, value, show, more) => ({
  key,
  title,
  value,
  show: (row) => show(value(row)),
  isText: false,
  ...more,
});
