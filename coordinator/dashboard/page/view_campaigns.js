/* All campaigns that the coordinator knows, and two of them side by side. */

import { h } from "./dom.js";
import * as format from "./format.js";
import { badge, labels, link, panel } from "./parts.js";
import { dataTable, nameNode, number, text } from "./table.js";
import { outcomeOf } from "./model.js";

const MOST_COMPARED = 2;

function selectedOf(ui) {
  return (ui.get("pick") ?? "").split(",").filter(Boolean).map(Number);
}

function pick(ui, id) {
  const now = selectedOf(ui);
  const next = now.includes(id) ? now.filter((other) => other !== id) : [...now, id].slice(-MOST_COMPARED);
  ui.set("pick", next.join(",") || null);
}

function stateFilter(ui) {
  const states = [
    ["", "all"],
    ["now", "that run"],
    ["ended", "that have ended"],
    ["bad", "that did not pass"],
  ];
  return h(
    "label",
    {},
    "Show ",
    h(
      "select",
      { value: ui.get("state") ?? "", onchange: (event) => ui.set("state", event.target.value || null) },
      states.map(([value, title]) => h("option", { key: value, value }, title)),
    ),
  );
}

function isShown(ui, campaign) {
  const state = ui.get("state");
  return (
    !state ||
    (state === "now"
      ? campaign.state !== "ended"
      : state === "ended"
        ? campaign.state === "ended"
        : campaign.verdict !== null && campaign.verdict !== "passed")
  );
}

function labelText(campaign) {
  return Object.entries(campaign.labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
}

function campaignTable(ui, list, now) {
  const picked = selectedOf(ui);
  return dataTable(ui, {
    id: "campaigns",
    caption: "Campaigns",
    rows: list,
    keyOf: ({ campaign }) => campaign,
    filterable: true,
    sort: "id:down",
    empty: "No campaign yet.",
    columns: [
      number("id", "campaign", ({ campaign }) => campaign, null, {
        show: ({ campaign }) => link(`/campaigns/${campaign}/overview`, `campaign ${campaign}`),
      }),
      text("state", "state", outcomeOf, { show: (row) => badge(outcomeOf(row)) }),
      text("script", "script", ({ script }) => script),
      text("name", "name", ({ name }) => name ?? ""),
      number("workers", "workers", ({ workers }) => workers, format.count),
      number("agents", "agents", ({ agents }) => agents, format.count),
      number("ok", "steps ok", ({ steps }) => steps.ok, format.count),
      number("failed", "failed", ({ steps }) => steps.failed, format.count),
      number("lasted", "ran for", ({ elapsed_s }) => elapsed_s, format.seconds),
      number("age", "began", ({ started_at }) => (started_at ? Date.parse(started_at) : null), null, {
        show: ({ started_at }) => h("time", { title: format.time(started_at) }, format.ago(started_at, now)),
      }),
      text("labels", "labels", labelText, { show: (row) => labels(row.labels), isHidden: true }),
      number("pick", "compare", ({ campaign }) => picked.indexOf(campaign), null, {
        show: ({ campaign }) =>
          h("input", {
            type: "checkbox",
            checked: picked.includes(campaign),
            "aria-label": `Compare campaign ${campaign}`,
            onchange: () => pick(ui, campaign),
          }),
      }),
    ],
  });
}

export function campaigns(model, ui) {
  const picked = selectedOf(ui);
  if (model.campaigns === null) {
    return h("p", { class: "note" }, "Asking…");
  }
  return panel(
    "Campaigns",
    h(
      "div",
      { class: "bar" },
      link("/start", "Start a campaign"),
      stateFilter(ui),
      picked.length === MOST_COMPARED
        ? link(`/compare/${[...picked].sort((a, b) => a - b).join("/")}`, `Compare ${picked.join(" and ")}`)
        : h("span", { class: "note" }, "Choose two to compare."),
    ),
    campaignTable(
      ui,
      model.campaigns.filter((campaign) => isShown(ui, campaign)),
      model.now,
    ),
    model.journal?.state === "failed"
      ? h("p", { class: "warning" }, "The journal has failed: ", model.journal.reason)
      : null,
  );
}

function change(a, b) {
  return a > 0 ? b / a - 1 : null;
}

function changeText(share) {
  return share === null ? "–" : `${share >= 0 ? "+" : "−"}${Math.abs(share * 100).toFixed(1)} %`;
}

/** Requests of both: what is the same name in one and the other. */
export function compareRows(a, b) {
  const names = new Set([...Object.keys(a.requests ?? {}), ...Object.keys(b.requests ?? {})]);
  return [...names].map((name) => ({ name, a: a.requests?.[name] ?? null, b: b.requests?.[name] ?? null }));
}

function compareTable(ui, [a, b]) {
  const pair = (key, title, value, show) => [
    number(`${key}-a`, `${title} of ${a.campaign}`, (row) => (row.a ? value(row.a) : null), show),
    number(`${key}-b`, `${title} of ${b.campaign}`, (row) => (row.b ? value(row.b) : null), show),
    number(
      `${key}-change`,
      "change",
      (row) => (row.a && row.b ? change(value(row.a), value(row.b)) : null),
      changeText,
    ),
  ];
  return dataTable(ui, {
    id: "compare",
    caption: "Requests compared",
    rows: compareRows(a, b),
    keyOf: ({ name }) => name,
    filterable: true,
    sort: "p95-change:down",
    columns: [
      text("name", "request", ({ name }) => name),
      ...pair("rate", "rate", ({ per_s }) => per_s, format.rate),
      ...pair("p95", "p95", ({ p95_ms }) => p95_ms, format.ms),
      ...pair("failed", "failed", ({ failed }) => failed, format.count),
    ],
  });
}

function compareHead(report) {
  return h(
    "div",
    { key: report.campaign },
    h(
      "h4",
      {},
      link(`/campaigns/${report.campaign}/overview`, `campaign ${report.campaign}`),
      " ",
      badge(report.verdict ?? "running"),
    ),
    h(
      "p",
      {},
      nameNode(report.name || report.script),
      `: ${format.count(report.workers)} workers, ${format.seconds(report.duration_s)}, `,
      `${format.count(report.steps.ok)} steps ok, ${format.count(report.steps.failed)} failed, p95 of requests ${format.ms(report.http?.p95_ms)}`,
    ),
  );
}

/** `reports` are two, once both are there. */
export function compare(model, ui) {
  const reports = model.compared;
  return !reports || reports.length < MOST_COMPARED
    ? h("p", { class: "note" }, "Asking…")
    : panel(
        "Two campaigns",
        h("div", { class: "beside" }, reports.map(compareHead)),
        compareTable(ui, reports),
        h(
          "p",
          { class: "note" },
          h("code", {}, `tutti compare ${reports[0].campaign} ${reports[1].campaign}`),
          " also says which differences are more than noise.",
        ),
      );
}
