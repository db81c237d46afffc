/* Small pieces that several views have. */

import { h } from "./dom.js";
import * as format from "./format.js";
import { instants, line } from "./series.js";
import { chart } from "./chart.js";
import { nameNode } from "./table.js";

/** A sign beside each word, so that its colour says nothing that is not said otherwise. */
const SIGNS = {
  passed: ["✓", "good"],
  met: ["✓", "good"],
  ok: ["✓", "good"],
  running: ["▶", "live"],
  waiting: ["…", "warn"],
  ended: ["■", "idle"],
  finished: ["✓", "good"],
  failed: ["✗", "bad"],
  missed: ["✗", "bad"],
  deadlocked: ["∞", "bad"],
  lost: ["✗", "bad"],
  degraded: ["!", "warn"],
  aborted: ["■", "warn"],
  stopping: ["■", "warn"],
  silent: ["?", "warn"],
  left: ["–", "idle"],
  pending: ["…", "idle"],
};

export function badge(word) {
  const [sign, kind] = SIGNS[word] ?? ["·", "idle"];
  return h("span", { class: `badge ${kind}` }, h("span", { "aria-hidden": "true" }, sign, " "), word);
}

/** A name and its number. */
export function figure(title, value, note = null, kind = null) {
  return h(
    "div",
    { class: `figure ${kind ?? ""}` },
    h("dt", {}, title),
    h("dd", {}, value, note ? h("small", {}, note) : null),
  );
}

export function figures(...list) {
  return h("dl", { class: "figures" }, list);
}

export function panel(title, ...content) {
  return h("section", { class: "panel", "aria-label": title }, h("h3", {}, title), content);
}

/** The campaign as its report has it, or before there is one, as its live numbers do. */
export function summaryOf(campaign) {
  return campaign.hasEnded && campaign.report
    ? { ...campaign.live, ...campaign.report }
    : (campaign.live ?? campaign.report ?? {});
}

const LAG_MS = 100;
const LAG_POINTS = 5;

/** When the loop of an agent was so late, for so long, that latencies are not to be trusted (docs/measuring.md). */
export function bottlenecks(series) {
  const lag = series?.total?.load?.agents_lag_p99_ms ?? [];
  const marks = [];
  let from = null;
  for (let index = 0; index <= lag.length; index += 1) {
    const isLate = (lag[index] ?? 0) >= LAG_MS;
    if (isLate) {
      from ??= index;
    } else if (from !== null) {
      if ((index - from) * series.point_s >= LAG_POINTS) {
        marks.push({
          from: from * series.point_s,
          to: index * series.point_s,
          text: `an agent was the bottleneck from ${format.moment(from * series.point_s)} to ${format.moment(index * series.point_s)}`,
        });
      }
      from = null;
    }
  }
  return marks;
}

/** The last point is not complete, and would look like a fall: while it runs, and where it ended within one. */
export function timeOf(campaign) {
  const t = instants(campaign.series);
  const { duration_s } = campaign.report ?? {};
  const isWhole = campaign.hasEnded && duration_s >= t.length * campaign.series.point_s;
  return isWhole || t.length < 2 ? t : t.slice(0, -1);
}

/**
 * A chart of columns of the series.
 * @param {[object, string, string][]} lines columns, key and name of each
 */
export function seriesChart(ui, campaign, { id, title, lines, show }) {
  const { series } = campaign;
  const t = timeOf(campaign);
  return chart(ui, {
    id,
    title,
    show,
    t,
    marks: bottlenecks(series),
    version: campaign.version,
    lines: lines.map(([columns, key, name]) => line(series, columns, key, name, t.length)),
  });
}

/** The charts that requests, timings and steps have in common. */
export function latencyChart(ui, campaign, id, title, columns) {
  return seriesChart(ui, campaign, {
    id,
    title,
    show: format.ms,
    lines: [
      [columns, "p50_ms", "p50"],
      [columns, "p95_ms", "p95"],
      [columns, "p99_ms", "p99"],
    ],
  });
}

export function isAny(column) {
  return (column ?? []).some((value) => value > 0);
}

export function noSeries() {
  return h("p", { class: "note" }, "There is nothing second by second yet. It begins with the workers.");
}

export function labels(object) {
  const list = Object.entries(object ?? {});
  return list.length === 0
    ? ""
    : list.map(([key, value]) => h("span", { class: "label", key }, nameNode(`${key}=${value}`), " "));
}

/** A link within the page. */
export function link(to, ...content) {
  return h("a", { href: `#${to}` }, content);
}
