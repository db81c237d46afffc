/* Requests and everything else that is timed: tables, whose rows open their charts. */

import { h } from "./dom.js";
import * as format from "./format.js";
import { figure, figures, latencyChart, noSeries, panel, seriesChart } from "./parts.js";
import { dataTable, nameNode, number, text } from "./table.js";

const share = (part, whole) => (whole > 0 ? part / whole : 0);
const time = (key, title, more) => number(key, title, (row) => row[`${key}_ms`], format.ms, more);
const hidden = { isHidden: true };

const TIMES = [
  time("p50", "p50"),
  time("p95", "p95"),
  time("p99", "p99"),
  time("max", "longest"),
  time("mean", "mean", hidden),
  time("min", "shortest", hidden),
  time("p90", "p90", hidden),
  time("p999", "p99.9", hidden),
  time("stddev", "std. dev.", hidden),
];

/** The name of a row opens it. */
function opener(ui, kind, title) {
  const current = ui.get("open");
  return text("name", title, ({ name }) => name, {
    show: ({ name }) => {
      const key = `${kind}:${name}`;
      return h(
        "button",
        {
          type: "button",
          class: "row",
          "aria-expanded": String(current === key),
          onclick: () => ui.set("open", current === key ? null : key),
        },
        nameNode(name),
      );
    },
  });
}

function rowsOf(object) {
  return Object.entries(object ?? {}).map(([name, row]) => ({ ...row, name }));
}

function requestTable(ui, rows) {
  return dataTable(ui, {
    id: "requests",
    caption: "Requests",
    rows,
    keyOf: ({ name }) => name,
    filterable: true,
    sort: "count:down",
    empty: "No request has been made yet.",
    columns: [
      opener(ui, "requests", "request"),
      number("count", "count", ({ count }) => count, format.count),
      number("rate", "per second", ({ per_s }) => per_s, format.rate),
      number("failed", "failed", ({ failed }) => failed, format.count),
      number("share", "failed share", ({ failed, count }) => share(failed, count), format.percent),
      ...TIMES,
      number("in", "received", ({ bytes_in }) => bytes_in, format.bytes, hidden),
      number("out", "sent", ({ bytes_out }) => bytes_out, format.bytes, hidden),
      text("status", "statuses", ({ statuses }) => Object.keys(statuses ?? {}).join(" "), hidden),
    ],
  });
}

function timingTable(ui, id, title, rows) {
  return dataTable(ui, {
    id,
    caption: title,
    rows,
    keyOf: ({ name }) => name,
    filterable: rows.length > 10,
    sort: "count:down",
    columns: [
      opener(ui, id, "name"),
      number("count", "count", ({ count, ok, failed }) => count ?? ok + failed, format.count),
      number("rate", "per second", ({ per_s }) => per_s, format.rate),
      number("failed", "failed", ({ failed }) => failed, format.count),
      ...TIMES,
    ],
  });
}

function waitTable(ui, rows) {
  return dataTable(ui, {
    id: "waits",
    caption: "Waits",
    rows,
    keyOf: ({ name }) => name,
    filterable: rows.length > 10,
    sort: "count:down",
    columns: [
      text("name", "notifier or barrier", ({ name }) => name),
      number("count", "waits", ({ count }) => count, format.count),
      number("ok", "ok", ({ ok }) => ok, format.count),
      number("short", "short", (row) => row.short, format.count),
      number("timeout", "timed out", ({ timeout }) => timeout, format.count),
      number("deadlock", "deadlock", ({ deadlock }) => deadlock, format.count),
      number("stopped", "stopped", ({ stopped }) => stopped, format.count),
      time("p50", "p50"),
      time("p99", "p99"),
    ],
  });
}

function tagTable(ui, rows) {
  return dataTable(ui, {
    id: "tags",
    caption: "Tags",
    rows,
    filterable: true,
    sort: "tag:up",
    keyOf: ({ tag, value, kind, name }) => [tag, value, kind, name].join("\n"),
    columns: [
      text("tag", "tag", ({ tag, value }) => `${tag}=${value}`),
      text("kind", "of", ({ kind }) => kind),
      text("name", "name", ({ name }) => name ?? "(all requests)"),
      number("count", "count", ({ count }) => count, format.count),
      number("failed", "failed", ({ failed }) => failed, format.count),
      time("p50", "p50"),
      time("p95", "p95"),
      time("p99", "p99"),
      time("max", "longest"),
    ],
  });
}

function statusTable(ui, row) {
  const rows = Object.entries(row.statuses ?? {}).map(([status, times]) => ({ status, times }));
  return rows.length === 0
    ? null
    : panel(
        "Statuses",
        dataTable(ui, {
          id: "statuses",
          caption: "Statuses",
          rows,
          keyOf: ({ status }) => status,
          sort: "times:down",
          columns: [
            text("status", "status", ({ status }) => status),
            number("times", "answers", ({ times }) => times, format.count),
            number("share", "share", ({ times }) => share(times, row.count), format.percent),
          ],
        }),
      );
}

const PHASES = ["blocked", "lookup", "connect", "tls", "sending", "waiting", "receiving"];

function phaseTable(ui, { phases }) {
  const rows = PHASES.filter((phase) => phases?.[phase]).map((phase) => ({ phase, ...phases[phase] }));
  return rows.length === 0
    ? null
    : panel(
        "Phases",
        dataTable(ui, {
          id: "phases",
          caption: "Phases",
          rows,
          keyOf: ({ phase }) => phase,
          sort: "order:up",
          columns: [
            text("phase", "phase", ({ phase }) => phase),
            time("p50", "p50"),
            time("p95", "p95"),
            time("p99", "p99"),
            time("max", "longest"),
            number(
              "order",
              "order",
              ({ phase }) => PHASES.indexOf(phase),
              (index) => String(index + 1),
            ),
          ],
        }),
      );
}

function slowTable(ui, { slowest }) {
  return !slowest?.length
    ? null
    : panel(
        "Slowest with a trace",
        dataTable(ui, {
          id: "slowest",
          caption: "Slowest with a trace",
          rows: slowest,
          keyOf: ({ trace }) => trace,
          sort: "took:down",
          columns: [
            text("trace", "trace", ({ trace }) => trace),
            number("took", "took", ({ ms }) => ms, format.ms),
            number(
              "worker",
              "worker",
              ({ worker }) => worker,
              (worker) => worker ?? "–",
            ),
            number(
              "step",
              "step",
              ({ step }) => step,
              (step) => step ?? "–",
            ),
          ],
        }),
      );
}

/** What is known of the row that the reader has opened. */
function opened(model, ui) {
  const { campaign } = model;
  const [, kind, name] = /^(requests|timings|scenarios|groups):([^]*)$/.exec(ui.get("open") ?? "") ?? [];
  const row = kind && campaign.report?.[kind]?.[name];
  if (!row) {
    return null;
  }
  const columns = campaign.series?.[kind]?.[name];
  const success = kind === "scenarios" ? "ok" : "count";
  return h(
    "section",
    { class: "panel opened", key: "opened", "aria-label": `${kind}: ${format.cut(name, 60)}` },
    h(
      "h3",
      {},
      nameNode(name),
      " ",
      h("button", { type: "button", class: "quiet", onclick: () => ui.set("open", null) }, "close"),
    ),
    figures(
      figure("p50", format.ms(row.p50_ms)),
      figure("p90", format.ms(row.p90_ms)),
      figure("p95", format.ms(row.p95_ms)),
      figure("p99", format.ms(row.p99_ms)),
      figure("p99.9", format.ms(row.p999_ms)),
      figure("longest", format.ms(row.max_ms)),
    ),
    columns
      ? h(
          "div",
          { class: "charts" },
          seriesChart(ui, campaign, {
            id: "one-rate",
            title: "Per second",
            show: format.rate,
            lines: [
              [columns, success, success],
              [columns, "failed", "failed"],
            ],
          }),
          latencyChart(ui, campaign, "one-latency", "Latency", columns),
        )
      : noSeries(),
    statusTable(ui, { ...row, count: row.count }),
    phaseTable(ui, row),
    slowTable(ui, row),
  );
}

export function requests(model, ui) {
  const report = model.campaign.report ?? {};
  const lists = ["scenarios", "groups", "timings"]
    .map((kind) => [kind, rowsOf(report[kind])])
    .filter(([, rows]) => rows.length > 0);
  const waits = rowsOf(report.waits);
  return [
    panel("Requests", requestTable(ui, rowsOf(report.requests))),
    opened(model, ui),
    lists.map(([kind, rows]) => panel(kind[0].toUpperCase() + kind.slice(1), timingTable(ui, kind, kind, rows))),
    waits.length > 0 ? panel("Waits", waitTable(ui, waits)) : null,
    report.tags?.length > 0 ? panel("Tags", tagTable(ui, report.tags)) : null,
  ];
}
