/* Runs compared with others, as `tutti compare` judges them. */

import { h } from "../page/dom.js";
import * as format from "../page/format.js";
import { badge, panel } from "../page/parts.js";
import { dataTable, nameNode, number, text } from "../page/table.js";

const SIGNS = { better: ["✓", "good"], worse: ["✗", "bad"], same: ["=", "idle"], unknown: ["?", "idle"] };
const NUMBERS = [["count", "count", format.count], ["per_s", "rate", format.rate], ["failed_share", "failed", format.percent],
  ["p50_ms", "p50", format.ms], ["p95_ms", "p95", format.ms], ["p99_ms", "p99", format.ms]];

function verdict(word) {
  const [sign, kind] = SIGNS[word] ?? ["·", "idle"];
  return h("span", { class: `badge ${kind}` }, h("span", { "aria-hidden": "true" }, sign, " "), word);
}

function changeText(share) {
  return share === null || share === undefined ? "–" : `${share >= 0 ? "+" : "−"}${Math.abs(share * 100).toFixed(1)} %`;
}

/** Of a rate or a time the change is a share; of a share of failures it is a difference. */
function rowsOf({ rows }) {
  return rows.flatMap((row) => NUMBERS.filter(([key]) => row[key]).map(([key, title, show]) =>
    ({ metric: row.metric, name: row.name ?? "", what: title, show, order: NUMBERS.findIndex(([other]) => other === key), ...row[key] })));
}

function table(ui, rows) {
  return dataTable(ui, {
    id: "compared", caption: "Numbers compared", rows, keyOf: ({ metric, name, what }) => [metric, name, what].join("\n"), filterable: true, sort: "name:up",
    columns: [
      text("name", "of", ({ metric, name }) => (name ? `${metric} ${name}` : metric)),
      text("what", "number", ({ what }) => what),
      number("base", "base", ({ base }) => base, null, { show: ({ base, show }) => show(base) }),
      number("new", "new", (row) => row.new, null, { show: (row) => row.show(row.new) }),
      number("change", "change", ({ change }) => change, changeText),
      number("noise", "noise", ({ noise }) => noise, (noise) => (noise === null || noise === undefined ? "–" : `± ${(noise * 100).toFixed(1)} %`)),
      text("verdict", "verdict", (row) => row.verdict ?? "", { show: (row) => (row.verdict ? verdict(row.verdict) : "") }),
    ],
  });
}

function runs(title, list) {
  return h("div", { key: title }, h("h4", {}, title), h("ul", { class: "plain" }, list.map((run, index) => h("li", { key: index },
    nameNode(run.name), " ", badge(run.verdict), ` campaign ${run.campaign}, `, nameNode(run.script), `, ${format.count(run.workers)} workers, ${format.seconds(run.duration_s)}`))));
}

function conditions(list) {
  return list.length === 0 ? null : panel("Conditions of --fail-if", h("ul", { class: "plain" }, list.map(({ condition, outcome, is_failed }) =>
    h("li", { key: condition }, h("span", { class: `badge ${is_failed ? "bad" : "good"}` }, is_failed ? "✗ " : "✓ ", outcome), " ", nameNode(condition)))));
}

export function comparison(data, ui) {
  const compared = data.comparison;
  return [
    h("div", { class: "title" }, h("h2", {}, "Runs compared"), h("p", {}, verdict(compared.verdict),
      ` at a level of ${format.percent(compared.level)}; what changes less than ${format.percent(compared.tolerance)} is the same`)),
    panel("Runs", h("div", { class: "beside" }, runs("Base", compared.base), runs("New", compared.new))),
    conditions(compared.fail_if),
    panel("Numbers", table(ui, rowsOf(compared))),
  ];
}
