/* Thresholds as they stand, and checks. */

import { h } from "./dom.js";
import * as format from "./format.js";
import { badge, panel, summaryOf } from "./parts.js";
import { dataTable, nameNode, number, text } from "./table.js";

export function thresholdTable(ui, thresholds) {
  return dataTable(ui, {
    id: "thresholds",
    caption: "Thresholds",
    rows: thresholds,
    keyOf: ({ threshold }) => threshold,
    sort: "threshold:up",
    columns: [
      text("threshold", "threshold", ({ threshold }) => threshold),
      text("outcome", "outcome", ({ outcome }) => outcome, { show: ({ outcome }) => badge(outcome) }),
      text("reached", "reached", ({ reached }) => reached, {
        show: ({ reached, value }) => (value === null ? "nothing measured" : reached),
      }),
      number(
        "missed",
        "missed at",
        ({ missed_at_s }) => missed_at_s,
        (second) => (second === null ? "–" : format.moment(second)),
      ),
    ],
  });
}

function checkTable(ui, counts) {
  const rows = Object.entries(counts).map(([name, check]) => ({ name, ...check }));
  return dataTable(ui, {
    id: "checks",
    caption: "Checks",
    rows,
    keyOf: ({ name }) => name,
    filterable: true,
    sort: "failed:down",
    columns: [
      text("name", "check", ({ name }) => name),
      number("passed", "passed", ({ passed }) => passed, format.count),
      number("failed", "failed", ({ failed }) => failed, format.count),
      number(
        "share",
        "failed share",
        ({ passed, failed }) => (passed + failed > 0 ? failed / (passed + failed) : 0),
        format.percent,
      ),
      text("message", "first failure", ({ message }) => message),
      number(
        "worker",
        "worker",
        ({ failed, worker }) => (failed > 0 ? worker : null),
        (worker) => (worker === null ? "–" : String(worker)),
      ),
      number(
        "step",
        "step",
        ({ failed, step }) => (failed > 0 ? step : null),
        (step) => (step === null ? "–" : String(step)),
      ),
    ],
  });
}

export function checks(model, ui) {
  const { campaign } = model;
  const thresholds = summaryOf(campaign).thresholds ?? [];
  return [
    panel(
      "Thresholds",
      thresholds.length > 0
        ? thresholdTable(ui, thresholds)
        : h(
            "p",
            { class: "note" },
            "The campaign has none. Give some when it starts: ",
            h("code", {}, "http.p95 < 200ms"),
            ".",
          ),
    ),
    panel(
      "Checks",
      Object.keys(campaign.report?.checks ?? {}).length > 0
        ? checkTable(ui, campaign.report.checks)
        : h(
            "p",
            { class: "note" },
            "The script checks nothing with ",
            h("code", {}, "tutti.check"),
            ", or no check has run yet.",
          ),
    ),
  ];
}

function when(second) {
  return second === null || second === undefined ? "–" : format.moment(second);
}

/** What a failed step has left, once it is there: a picture, or the source of a page as text. */
function leftBehind(file, content) {
  if (content === undefined || content === null) {
    return h("p", { class: "note" }, content === null ? "It is not kept any more." : "Asking…");
  }
  const alt = `What worker ${file.worker} saw when step ${file.step} failed`;
  return file.kind === "screenshot"
    ? h("img", { class: "artifact", src: content, alt })
    : h("pre", { class: "message" }, content);
}

function artifacts({ campaign }, ui) {
  const files = campaign.report?.artifacts ?? [];
  const opened = ui.get("file");
  return files.length === 0
    ? null
    : panel(
        "What failed steps have left",
        h(
          "ul",
          { class: "plain" },
          files.map((file) => {
            const isOpen = opened === String(file.number);
            const toggle = () => ui.set("file", isOpen ? null : String(file.number));
            return h(
              "li",
              { key: file.number },
              h(
                "button",
                { type: "button", class: "row", "aria-expanded": String(isOpen), onclick: toggle },
                nameNode(file.name),
              ),
              ` ${file.kind} of worker ${file.worker} in step ${file.step}, ${format.bytes(file.size_bytes)}`,
              isOpen ? leftBehind(file, campaign.files.get(file.number)) : null,
            );
          }),
        ),
      );
}

function errorTable(ui, rows) {
  const hasTimes = rows.some(({ first_s }) => first_s !== undefined);
  const hasAgent = rows.some(({ agent }) => agent);
  return dataTable(ui, {
    id: "errors",
    caption: "Errors",
    rows,
    keyOf: ({ message, scenario }) => `${scenario}\n${message}`,
    filterable: true,
    sort: "count:down",
    empty: "No step has failed.",
    columns: [
      text("message", "message of the first one", ({ message }) => message, {
        show: ({ message }) => h("pre", { class: "message" }, nameNode(message)),
      }),
      number("count", "how often", ({ count }) => count, format.count),
      text("scenario", "scenario", ({ scenario }) => scenario || "(no step)"),
      number("worker", "worker", ({ worker }) => worker, String),
      number("step", "step", ({ step }) => step, String),
      ...(hasTimes
        ? [
            number("first", "first seen", ({ first_s }) => first_s, when),
            number("last", "last seen", ({ last_s }) => last_s, when),
          ]
        : []),
      ...(hasAgent ? [text("agent", "agent", ({ agent }) => agent)] : []),
    ],
  });
}

/** Errors by their message, and files of the steps that failed. */
export function errors(model, ui) {
  return [panel("Errors", errorTable(ui, model.campaign.report?.errors ?? [])), artifacts(model, ui)];
}
