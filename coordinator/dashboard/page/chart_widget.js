/* A time series drawn by dygraphs, as a widget: only while it is near the screen, and only what differs. */

import * as format from "./format.js";
import { colour, onColours } from "./palette.js";
import { thin } from "./series.js";

/** More than these would not be seen apart on a screen, and cost time each second. */
const POINTS_DRAWN = 900;
const DASHES = [null, [7, 3], [2, 2], [9, 3, 2, 3], [14, 4], [4, 4]];
export const LINES_MAX = DASHES.length;
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
const PIXELS_PER_TICK = 90;

const drawn = new Set();

/** The legend and hover texts of dygraphs write inline styles, which the page's policy forbids: we have our own. */
function withoutLegend() {
  const Dygraph = window.Dygraph;
  Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);
  return Dygraph;
}

function ticks(from, to, pixels) {
  const most = Math.max(2, pixels / PIXELS_PER_TICK);
  const step = TICKS.find((size) => (to - from) / size <= most) ?? 86400;
  const found = [];
  for (let v = Math.ceil(from / step) * step; v <= to; v += step) {
    found.push({ v, label: format.moment(v) });
  }
  return found;
}

function shade(chart, context, area, graph) {
  context.fillStyle = colour("--shade");
  for (const { from, to } of chart.data.marks ?? []) {
    const left = Math.max(area.x, graph.toDomXCoord(from));
    const right = Math.min(area.x + area.w, graph.toDomXCoord(to));
    if (right > left) {
      context.fillRect(left, area.y, right - left, area.h);
    }
  }
}

function lookOf(chart) {
  const { lines, hidden } = chart.data;
  const series = {};
  lines.forEach((_, index) => {
    series[`s${index}`] = { strokePattern: DASHES[index % LINES_MAX] };
  });
  return {
    labels: ["t", ...lines.map((_, index) => `s${index}`)],
    colors: lines.map((_, index) => colour(`--line-${(index % LINES_MAX) + 1}`)),
    visibility: lines.map((_, index) => !hidden.includes(index)),
    series,
    gridLineColor: colour("--grid"),
    axisLineColor: colour("--grid"),
  };
}

function rowsOf(chart) {
  const { t, lines, span } = chart.data;
  const rows = thin({ t, columns: lines }, span, POINTS_DRAWN);
  return rows.length > 0 ? rows : [[0, ...lines.map(() => null)]];
}

function spanOf(data) {
  const last = data.t.length > 0 ? data.t[data.t.length - 1] : 0;
  return data.span ?? [0, Math.max(last, 1)];
}

function begin(chart) {
  const Dygraph = withoutLegend();
  chart.graph = new Dygraph(chart.plot, rowsOf(chart), {
    ...lookOf(chart),
    legend: "never",
    includeZero: true,
    strokeWidth: 1.6,
    highlightCircleSize: 3,
    animatedZooms: false,
    dateWindow: spanOf(chart.data),
    underlayCallback: (context, area, graph) => shade(chart, context, area, graph),
    highlightCallback: (_event, t) => point(chart, t, "off"),
    unhighlightCallback: () => point(chart, null, "off"),
    zoomCallback: (from, to) => zoomed(chart, from, to),
    axes: {
      x: { ticker: ticks, axisLabelFontSize: 12 },
      y: { axisLabelFormatter: (value) => chart.data.format(value), axisLabelWidth: 64, axisLabelFontSize: 12 },
    },
  });
}

function zoomed(chart, from, to) {
  const [first, last] = spanOf({ ...chart.data, span: null });
  const isWhole = from <= first && to >= last;
  chart.data.onSpan(isWhole ? null : [Math.max(first, from), Math.min(last, to)]);
}

/** Shows the numbers of one instant; `live` is whether they are read aloud. */
function point(chart, t, live) {
  const { readout, data } = chart;
  chart.at = t;
  readout.setAttribute("aria-live", live);
  if (t === null) {
    readout.textContent = "";
    return;
  }
  const row = rowsOf(chart).find(([instant]) => instant >= t) ?? [];
  const values = data.lines.map(({ name }, index) =>
    data.hidden.includes(index)
      ? null
      : `${format.cut(name, 40)} ${row[index + 1] === null || row[index + 1] === undefined ? "–" : data.format(row[index + 1])}`,
  );
  readout.textContent = [format.moment(t), ...values.filter((text) => text !== null)].join(" · ");
}

function draw(chart) {
  if (!chart.isNear) {
    return;
  }
  const { data } = chart;
  const state = JSON.stringify([data.t.length, data.version, data.span, data.hidden, data.marks, data.lines.length]);
  if (chart.graph === null) {
    begin(chart);
  } else if (state !== chart.state) {
    chart.graph.updateOptions({ ...lookOf(chart), file: rowsOf(chart), dateWindow: spanOf(data) });
  }
  chart.state = state;
}

/** Arrows move through the points, + and − zoom around them, Shift with an arrow moves the window. */
function key(chart, event) {
  const [from, to] = spanOf(chart.data);
  const width = to - from;
  const at = chart.at ?? to;
  const step = Math.max(chart.data.t[1] ?? 1, width / 60);
  const moves = {
    ArrowLeft: () => (event.shiftKey ? slide(chart, -width / 4) : move(chart, Math.max(from, at - step))),
    ArrowRight: () => (event.shiftKey ? slide(chart, width / 4) : move(chart, Math.min(to, at + step))),
    Home: () => move(chart, from),
    End: () => move(chart, to),
    "+": () => zoomed(chart, at - width / 4, at + width / 4),
    "-": () => zoomed(chart, at - width, at + width),
    Escape: () => chart.data.onSpan(null),
  };
  const act = moves[event.key === "=" ? "+" : event.key];
  if (act && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    act();
  }
}

function move(chart, t) {
  point(chart, t, "polite");
  const rows = rowsOf(chart);
  const index = rows.findIndex(([instant]) => instant >= t);
  chart.graph?.setSelection(index < 0 ? rows.length - 1 : index);
}

function slide(chart, by) {
  const [from, to] = spanOf(chart.data);
  const [first, last] = spanOf({ ...chart.data, span: null });
  const shift = Math.min(Math.max(by, first - from), last - to);
  zoomed(chart, from + shift, to + shift);
}

const near =
  typeof IntersectionObserver === "undefined"
    ? null
    : new IntersectionObserver(
        (entries) => {
          for (const { target, isIntersecting } of entries) {
            target.chart.isNear = isIntersecting;
            draw(target.chart);
          }
        },
        { rootMargin: "200px" },
      );

function again() {
  for (const chart of drawn) {
    chart.state = null;
    draw(chart);
  }
}

onColours(again);
if (typeof window !== "undefined") {
  window.addEventListener("beforeprint", () => {
    for (const chart of drawn) {
      chart.isNear = true;
    }
    again();
  });
}

/**
 * Data: {title, t, lines: {name, values, isSum}[], hidden: number[], span, marks: {from, to}[], format, version,
 * onSpan}. `version` changes when values do though there are as many.
 */
export const chartWidget = {
  create(data) {
    const element = document.createElement("div");
    const plot = document.createElement("div");
    const readout = document.createElement("p");
    element.className = "chart";
    plot.className = "plot";
    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.setAttribute(
      "aria-label",
      `${data.title}, drawn over time. Arrows move, plus and minus zoom, Escape shows all; its table has the numbers.`,
    );
    readout.className = "readout";
    element.append(plot, readout);
    element.chart = { element, plot, readout, data, graph: null, state: null, isNear: false, at: null };
    plot.addEventListener("keydown", (event) => key(element.chart, event));
    drawn.add(element.chart);
    near?.observe(element);
    return element;
  },
  update(element, data) {
    element.chart.data = data;
    draw(element.chart);
  },
  destroy(element) {
    near?.unobserve(element);
    drawn.delete(element.chart);
    element.chart.graph?.destroy();
  },
};
