/* Pictures of our own, in SVG: quantiles on a logarithmic scale, and who waits for whom. */

import { h } from "./dom.js";
import * as format from "./format.js";

const WIDTH = 640;
const ROW = 30;
const LEFT = 150;

/** Decades that hold all of the values, which are in milliseconds. */
function scaleOf(values) {
  const positive = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.max(0.001, Math.min(...positive, 1000))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive, 0.01))));
  const place = (value) => LEFT + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (WIDTH - LEFT - 20);
  return { place, decades: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)) };
}

/**
 * For each row a bar from p50 to p99 with marks at p50, p95, p99 and the maximum, and the band by which each may be off.
 * @param {{name: string, p50_ms: number, p95_ms: number, p99_ms: number, max_ms: number, off_ms: number}[]} rows
 */
export function quantiles(title, rows) {
  const { place, decades } = scaleOf(rows.flatMap(({ p50_ms, max_ms }) => [p50_ms, max_ms]));
  const height = rows.length * ROW + 30;
  return h(
    "svg",
    { class: "picture", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title },
    decades.map((value) =>
      h(
        "g",
        { key: value },
        h("line", { class: "grid", x1: place(value), x2: place(value), y1: 0, y2: height - 22 }),
        h("text", { class: "tick", x: place(value), y: height - 6, "text-anchor": "middle" }, format.ms(value)),
      ),
    ),
    rows.map((row, index) => quantileRow(row, index * ROW + 6, place)),
  );
}

function quantileRow(row, y, place) {
  const mark = (value, kind) => h("line", { class: kind, x1: place(value), x2: place(value), y1: y, y2: y + 18 });
  const band = row.off_ms > 0 ? [Math.max(row.p50_ms - row.off_ms, 0.001), row.p50_ms + row.off_ms] : null;
  return h(
    "g",
    { key: row.name },
    h(
      "title",
      {},
      `${format.cut(row.name, 100)}: p50 ${format.ms(row.p50_ms)}, p95 ${format.ms(row.p95_ms)}, p99 ${format.ms(row.p99_ms)}, longest ${format.ms(row.max_ms)}`,
    ),
    h("text", { class: "name", x: LEFT - 8, y: y + 13, "text-anchor": "end" }, format.cut(row.name, 20)),
    band
      ? h("rect", { class: "band", x: place(band[0]), y: y - 3, width: place(band[1]) - place(band[0]), height: 24 })
      : null,
    h("rect", {
      class: "range",
      x: place(row.p50_ms),
      y: y + 4,
      width: Math.max(1, place(row.p99_ms) - place(row.p50_ms)),
      height: 10,
    }),
    h("line", { class: "whisker", x1: place(row.p99_ms), x2: place(row.max_ms), y1: y + 9, y2: y + 9 }),
    mark(row.p50_ms, "middle"),
    mark(row.p95_ms, "mark"),
    mark(row.max_ms, "mark"),
  );
}

const LANE = 34;
const BOX = 250;
const DISTANCE = 375;
const BOX_CHARACTERS = 38;

function boxOf(x, index, text, kind) {
  return h(
    "g",
    { key: `${x} ${index}` },
    h("rect", { class: `box ${kind}`, x, y: index * LANE + 4, width: BOX, height: LANE - 10, rx: 4 }),
    h("title", {}, format.cut(text, 300)),
    h("text", { class: "box-text", x: x + 8, y: index * LANE + 20 }, format.cut(text, BOX_CHARACTERS)),
  );
}

/**
 * Workers on the left wait in what is in the middle for the workers on the right.
 * @param {{from: string[], through: string[], to: string[], edges: [number, number][], ends: [number, number][]}} graph
 * edges lead from `from` to `through`, ends from `through` to `to`
 */
export function waitPicture(title, { from, through, to, edges, ends }) {
  const columns = [0, DISTANCE, 2 * DISTANCE];
  const height = Math.max(from.length, through.length, to.length, 1) * LANE + 8;
  const arrow = (x, [a, b], kind) =>
    h("path", {
      key: `${x} ${a} ${b}`,
      class: `arrow ${kind}`,
      "marker-end": "url(#arrow-head)",
      d: `M${x + BOX} ${a * LANE + 16} C${x + BOX + 60} ${a * LANE + 16} ${x + DISTANCE - 60} ${b * LANE + 16} ${x + DISTANCE - 4} ${b * LANE + 16}`,
    });
  return h(
    "svg",
    { class: "picture wide", viewBox: `0 0 ${2 * DISTANCE + BOX + 2} ${height}`, role: "img", "aria-label": title },
    h(
      "defs",
      {},
      h(
        "marker",
        { id: "arrow-head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
        h("path", { class: "tip", d: "M0 0 L8 4 L0 8 z" }),
      ),
    ),
    edges.map((edge) => arrow(columns[0], edge, "waits")),
    ends.map((end) => arrow(columns[1], end, "missing")),
    from.map((text, index) => boxOf(columns[0], index, text, "waits")),
    through.map((text, index) => boxOf(columns[1], index, text, "through")),
    to.map((text, index) => boxOf(columns[2], index, text, "missing")),
  );
}

/**
 * The graph of the waits of workers: {worker, text, wait: {what, for: number[]}}.
 * @returns the argument of waitPicture
 */
export function graphOf(seats) {
  const waiting = seats.filter(({ wait }) => wait);
  const through = [...new Set(waiting.map(({ wait }) => wait.what))];
  const missing = [...new Set(waiting.flatMap(({ wait }) => wait.for ?? []))].sort((a, b) => a - b);
  const ends = new Map();
  const edges = waiting.map(({ wait }, index) => {
    const at = through.indexOf(wait.what);
    for (const worker of wait.for ?? []) {
      ends.set(`${at} ${worker}`, [at, missing.indexOf(worker)]);
    }
    return [index, at];
  });
  return {
    from: waiting.map(({ text }) => text),
    through,
    to: missing.map((worker) => `worker ${worker}`),
    edges,
    ends: [...ends.values()],
  };
}
