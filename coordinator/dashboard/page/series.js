/* The numbers of a campaign second by second: appending what came, and thinning out what is drawn. Pure. */

/** How two points of a column become one. Shares of time and percentiles cannot be added up: the worst stands. */
const SUMMED = new Set(["count", "failed", "ok", "stopped", "lost", "not_ok", "bytes_in", "bytes_out", "in", "out",
  "dropped", "agents_cpu_s"]);

function isSum(key) {
  return SUMMED.has(key);
}

/** Appends to `column` the values of `more`, which begins at the point `at`; what overlaps is replaced. */
function appendColumn(column, more, at) {
  const whole = column.slice(0, at);
  while (whole.length < at) {
    whole.push(null);
  }
  return whole.concat(more);
}

function mergeTree(before, more, at) {
  const merged = { ...before };
  for (const [key, value] of Object.entries(more)) {
    if (Array.isArray(value)) {
      merged[key] = appendColumn(before?.[key] ?? [], value, at);
    } else if (value !== null && typeof value === "object") {
      merged[key] = mergeTree(before?.[key] ?? {}, value, at);
    }
  }
  return merged;
}

/**
 * The series with what came since: `more.since` is the point at which its columns begin (0: it is all of it). If the
 * points became longer meanwhile, only a whole series can be taken; null says that one has to be asked for.
 */
export function merge(before, more) {
  const since = more.since ?? 0;
  if (since === 0) {
    return more;
  }
  if (!before || before.point_s !== more.point_s || since > before.points) {
    return null;
  }
  const { point_s, points } = more;
  const groups = { total: mergeTree(before.total, more.total ?? {}, since) };
  for (const group of ["requests", "timings", "scenarios"]) {
    groups[group] = mergeTree(before[group] ?? {}, more[group] ?? {}, since);
  }
  return { ...before, ...groups, point_s, points: Math.max(points ?? 0, since) };
}

/** The instants of the points, in seconds since the workers began. */
export function instants(series) {
  return Array.from({ length: series.points }, (_, index) => index * series.point_s);
}

/** A column per second instead of per point. */
export function perSecond(series, column) {
  const size = series?.point_s ?? 1;
  return (column ?? []).map((value) => (value === null ? null : value / size));
}

/**
 * What is drawn: at most `limit` points of the part of the time that is shown, plus one on either side. Several
 * points become one: the mean of what is added up, the worst of everything else.
 * @param {{t: number[], columns: {values: number[], isSum: boolean}[]}} data
 * @param {?number[]} span [from, to] in seconds, or null
 * @returns {number[][]} rows of [t, …]
 */
export function thin(data, span, limit) {
  const { t, columns } = data;
  const end = t.length;
  let first = 0;
  let last = end;
  if (span) {
    while (first < end - 1 && t[first + 1] < span[0]) {
      first += 1;
    }
    while (last > first + 1 && t[last - 2] > span[1]) {
      last -= 1;
    }
  }
  const step = Math.max(1, Math.ceil((last - first) / limit));
  const rows = [];
  /* Groups begin at multiples of the step, so that points do not flicker while others arrive. */
  for (let from = first - (first % step); from < last; from += step) {
    const to = Math.min(from + step, end);
    const row = [t[from]];
    for (const { values, isSum: summed } of columns) {
      row.push(joined(values, from, to, summed));
    }
    rows.push(row);
  }
  return rows;
}

function joined(values, from, to, summed) {
  let sum = 0;
  let most = null;
  let found = 0;
  for (let index = from; index < to; index += 1) {
    const value = values[index];
    if (value !== null && value !== undefined) {
      sum += value;
      found += 1;
      most = most === null || value > most ? value : most;
    }
  }
  return found === 0 ? null : summed ? sum / found : most;
}

/** Description of one line of a chart: of the first `points` of a column of the series. */
export function line(series, columns, key, name, points) {
  const values = (columns?.[key] ?? []).slice(0, points);
  return { name, values: isSum(key) ? perSecond(series, values) : values, isSum: isSum(key) || key === "workers" };
}

