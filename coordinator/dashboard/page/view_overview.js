/* How a campaign is doing, at a glance. */

import { h } from "./dom.js";
import * as format from "./format.js";
import { figure, figures, isAny, latencyChart, noSeries, panel, seriesChart, summaryOf } from "./parts.js";
import { thresholdTable } from "./view_checks.js";
import { nameNode } from "./table.js";

function liveFigures(live) {
  return [
    figure("requests", format.rate(live.requests_per_s), `of the last ${format.seconds(live.window_s)}`),
    figure("failed requests", format.rate(live.failed_per_s), null, live.failed_per_s > 0 ? "bad" : null),
    figure("p50", format.ms(live.p50_ms)),
    figure("p95", format.ms(live.p95_ms)),
    figure("p99", format.ms(live.p99_ms)),
    live.messages_per_s > 0 ? figure("messages", format.rate(live.messages_per_s)) : null,
  ];
}

function finalFigures(report) {
  const http = report.http ?? {};
  return [
    figure(
      "requests",
      format.count(http.count),
      http.count > 0 && report.duration_s > 0 ? format.rate(http.count / report.duration_s) : null,
    ),
    figure("failed requests", format.count(http.failed), null, http.failed > 0 ? "bad" : null),
    figure("p50", format.ms(http.p50_ms)),
    figure("p95", format.ms(http.p95_ms)),
    figure("p99", format.ms(http.p99_ms)),
    figure("longest", format.ms(http.max_ms)),
  ];
}

function stepFigures(summary) {
  const { steps = {} } = summary;
  const passed = summary.elapsed_s ?? summary.duration_s ?? 0;
  const ended = (steps.ok ?? 0) + (steps.failed ?? 0);
  return [
    figure("steps ok", format.count(steps.ok), passed > 0 ? format.rate(ended / passed) : null),
    figure(
      "steps failed",
      format.count(steps.failed),
      steps.failed_by_loss > 0 ? `${format.count(steps.failed_by_loss)} by a loss` : null,
      steps.failed > 0 ? "bad" : null,
    ),
    steps.stopped > 0 ? figure("steps stopped", format.count(steps.stopped)) : null,
    steps.lost > 0 ? figure("steps lost", format.count(steps.lost), null, "bad") : null,
  ];
}

function workerFigure(campaign, summary) {
  const { live } = campaign;
  return live && !campaign.hasEnded
    ? figure("workers", `${format.count(live.workers_running)} of ${format.count(live.workers)}`)
    : figure(
        "workers",
        format.count(summary.workers),
        summary.workers_ran > summary.workers ? `${format.count(summary.workers_ran)} ever` : null,
      );
}

function headline(campaign) {
  const summary = summaryOf(campaign);
  const isOver = campaign.hasEnded && campaign.report;
  return figures(
    workerFigure(campaign, summary),
    stepFigures(summary),
    isOver ? finalFigures(campaign.report) : campaign.live ? liveFigures(campaign.live) : null,
  );
}

function charts(ui, campaign) {
  const total = campaign.series?.total;
  if (!total || campaign.series.points === 0) {
    return noSeries();
  }
  const list = [
    seriesChart(ui, campaign, {
      id: "rate",
      title: "Steps and requests per second",
      show: format.rate,
      lines: [
        [total.requests, "count", "requests"],
        [total.steps, "ok", "steps ok"],
        ...(isAny(total.arrivals?.count) ? [[total.arrivals, "count", "arrivals"]] : []),
      ],
    }),
    latencyChart(ui, campaign, "latency", "Latency of requests", total.requests),
    seriesChart(ui, campaign, {
      id: "failures",
      title: "Failures per second",
      show: format.rate,
      lines: [
        [total.requests, "failed", "failed requests"],
        [total.steps, "failed", "failed steps"],
        ...(isAny(total.waits?.not_ok) ? [[total.waits, "not_ok", "waits that were not ok"]] : []),
        ...(isAny(total.arrivals?.dropped) ? [[total.arrivals, "dropped", "dropped arrivals"]] : []),
      ],
    }),
    seriesChart(ui, campaign, {
      id: "workers",
      title: "Workers",
      show: format.count,
      lines: [[total.load, "workers", "workers"]],
    }),
    latencyChart(ui, campaign, "steps", "Duration of steps", total.steps),
  ];
  if (isAny(total.waits?.count)) {
    list.push(latencyChart(ui, campaign, "waits", "How long workers waited for each other", total.waits));
  }
  if (isAny(total.messages?.in) || isAny(total.messages?.out)) {
    list.push(
      seriesChart(ui, campaign, {
        id: "messages",
        title: "Messages of WebSockets per second",
        show: format.rate,
        lines: [
          [total.messages, "in", "received"],
          [total.messages, "out", "sent"],
        ],
      }),
    );
  }
  return h("div", { class: "charts" }, list);
}

/** What the page has seen happen, newest first. */
function happened(model) {
  const lines = model.lines.slice(-12).reverse();
  return lines.length === 0
    ? null
    : panel(
        "What happened",
        h(
          "ol",
          { class: "lines", reversed: true },
          lines.map((line) =>
            h(
              "li",
              { key: line.number, class: line.kind },
              h("time", {}, new Date(line.at).toLocaleTimeString()),
              " ",
              nameNode(line.text),
            ),
          ),
        ),
      );
}

function warnings(report) {
  return (report?.bottlenecks ?? []).map(({ agent, duration_s, loop_busy }) =>
    h(
      "p",
      { class: "warning", key: `b-${agent}` },
      "Agent ",
      nameNode(agent),
      ` was the bottleneck for ${format.seconds(duration_s)}: its loop was busy ${format.percent(loop_busy)} of the time. `,
      "Latencies that it measured then are not to be trusted.",
    ),
  );
}

export function overview(model, ui) {
  const { campaign } = model;
  const summary = summaryOf(campaign);
  return [
    headline(campaign),
    warnings(campaign.report),
    campaign.live?.waiting && !campaign.hasEnded
      ? h("p", { class: "waiting" }, h("b", {}, "Waiting: "), campaign.live.waiting)
      : null,
    (summary.thresholds ?? []).length > 0 ? panel("Thresholds", thresholdTable(ui, summary.thresholds)) : null,
    charts(ui, campaign),
    happened(model),
  ];
}
