/* From the edit until every reader has seen it, who came last, and whether all saw the same. */

import { h } from "./dom.js";
import * as format from "./format.js";
import { isAny, latencyChart, panel, seriesChart } from "./parts.js";
import { quantiles } from "./picture.js";
import { dataTable, nameNode, number, text } from "./table.js";

const time = (key, title, more) => number(key, title, (row) => row[`${key}_ms`], format.ms, more);

function seenTable(ui, rows) {
  return dataTable(ui, {
    id: "seen",
    caption: "Edit until seen",
    rows,
    keyOf: ({ name }) => name,
    sort: "count:down",
    columns: [
      text("name", "notifier", ({ name }) => name),
      number("count", "seen", ({ count }) => count, format.count),
      time("p50", "p50"),
      time("p95", "p95"),
      time("p99", "p99"),
      time("max", "longest"),
      time("spread_p50", "spread p50"),
      time("spread_max", "spread longest"),
      number("before", "before the edit", ({ before_edit }) => before_edit, format.count),
      number("off", "clocks ±", ({ clock_uncertainty_ms }) => clock_uncertainty_ms, format.ms),
    ],
  });
}

function stragglerTable(ui, rows) {
  const who = ({ worker, agent }) => `worker ${worker}${agent ? ` on ${agent}` : ""}`;
  return dataTable(ui, {
    id: "last",
    caption: "Who came last",
    rows,
    keyOf: (row) => `${row.name} ${row.kind} ${row.worker}`,
    filterable: true,
    sort: "waited:down",
    columns: [
      text("who", "who came last", who),
      text("name", "at", ({ name, kind }) => `${name} (${kind})`),
      number("times", "how often", ({ times }) => times, format.count),
      number("waited", "the others waited", ({ waited_s }) => waited_s, format.seconds),
      number("each", "each time", ({ times, waited_s }) => (times > 0 ? waited_s / times : null), format.seconds),
    ],
  });
}

function lastSeers(ui, rows) {
  const list = rows.flatMap(({ name, last }) =>
    Object.entries(last ?? {}).map(([worker, times]) => ({ name, worker: Number(worker), times })),
  );
  return list.length === 0
    ? null
    : panel(
        "Last to see",
        dataTable(ui, {
          id: "lastseen",
          caption: "Last to see",
          rows: list,
          keyOf: ({ name, worker }) => `${name} ${worker}`,
          sort: "times:down",
          columns: [
            text("worker", "worker", ({ worker }) => `worker ${worker}`),
            text("name", "notifier", ({ name }) => name),
            number("times", "how often", ({ times }) => times, format.count),
          ],
        }),
      );
}

function example(row, index) {
  const texts = row.texts ?? [];
  return h(
    "li",
    { key: index },
    `room ${row.room}, step ${row.step}: ${row.differed} of ${row.reads} reads differed from `,
    row.from === "written" ? "what was written" : "what most saw",
    ` (workers ${row.workers.join(", ")})`,
    texts.length > 0
      ? h(
          "div",
          { class: "beside" },
          texts.map((shown, at) => h("pre", { key: at }, nameNode(shown))),
        )
      : null,
  );
}

function convergence(object) {
  const list = Object.entries(object ?? {});
  return list.length === 0
    ? null
    : panel(
        "Did all see the same",
        list.map(([name, row]) =>
          h(
            "div",
            { key: name },
            h(
              "p",
              {},
              h("b", {}, nameNode(name)),
              `: ${format.count(row.diverged)} of ${format.count(row.steps)} steps diverged, `,
              `${format.count(row.differed)} of ${format.count(row.reads)} reads differed.`,
            ),
            row.examples.length > 0 ? h("ul", {}, row.examples.map(example)) : null,
          ),
        ),
      );
}

export function seen(model, ui) {
  const { campaign } = model;
  const source = campaign.hasEnded
    ? campaign.report
    : { ...campaign.report, seen: campaign.live?.seen ?? campaign.report?.seen };
  const rows = Object.entries(source?.seen ?? {}).map(([name, row]) => ({ ...row, name }));
  const total = campaign.series?.total?.seen;
  const late = (campaign.report?.last ?? []).flatMap(({ name, kind, workers }) =>
    workers.map((worker) => ({ ...worker, name, kind })),
  );
  return [
    rows.length === 0
      ? panel("Edit until seen", h("p", { class: "note" }, "Nothing was written and read with a notifier yet."))
      : panel(
          "Edit until seen",
          quantiles(
            "From p50 to p99 of the time until an edit was seen, on a logarithmic scale; its table has the numbers",
            rows.map((row) => ({ ...row, off_ms: row.clock_uncertainty_ms })),
          ),
          h(
            "p",
            { class: "note" },
            "Bars reach from p50 to p99 with a mark at p95, the line to the longest. The pale band is how far the clocks may be off.",
          ),
          seenTable(ui, rows),
        ),
    isAny(total?.count)
      ? h(
          "div",
          { class: "charts" },
          latencyChart(ui, campaign, "seen", "Edit until seen", total),
          seriesChart(ui, campaign, {
            id: "seen-rate",
            title: "Seen per second",
            show: format.rate,
            lines: [[total, "count", "seen"]],
          }),
        )
      : null,
    late.length > 0 ? panel("Who came last, and what it cost the others", stragglerTable(ui, late)) : null,
    lastSeers(ui, rows),
    convergence(campaign.report?.convergence),
  ];
}
