/* The numbers of a campaign second by second: laying over what came, and thinning out what is drawn. Pure. */

/** How two points of a column become one. Shares of time and percentiles cannot be added up: the worst stands. */
const SUMMED = new Set([
  "count",
  "failed",
  "ok",
  "stopped",
  "lost",
  "not_ok",
  "bytes_in",
  "bytes_out",
  "in",
  "out",
  "dropped",
  "agents_cpu_s",
]);

function isSum(key) {
  return SUMMED.has(key);
}

/** Lays the values of `part` over `column` from the point `at` on; of what was not told, nothing was counted. */
function layColumn(key, column, part, at) {
  const whole = column.slice();
  while (whole.length < at) {
    whole.push(isSum(key) ? 0 : null);
  }
  part.forEach((value, index) => {
    whole[at + index] = value;
  });
  return whole;
}

function layTree(before, part, at) {
  const merged = { ...before };
  for (const [key, value] of Object.entries(part)) {
    if (Array.isArray(value)) {
      merged[key] = layColumn(key, before?.[key] ?? [], value, at);
    } else if (value !== null && typeof value === "object") {
      merged[key] = layTree(before?.[key] ?? {}, value, at);
    }
  }
  return merged;
}

/**
 * The series with a part of it laid over, which begins with the second `part.since` (0 if it has none). Null if it does
 * not fit: nothing is there yet, seconds between are missing, or points have become longer.
 * @param {(group: string, name: string) => boolean} isWanted which rows with names are kept
 */
export function lay(before, part, isWanted) {
  const at = Math.floor((part.since ?? 0) / part.point_s);
  if (!before || before.point_s !== part.point_s || at > before.points) {
    return null;
  }
  const groups = { total: layTree(before.total, part.total ?? {}, at) };
  for (const group of ["requests", "timings", "scenarios"]) {
    const wanted = Object.entries(part[group] ?? {}).filter(([name]) => isWanted(group, name));
    groups[group] = layTree(before[group] ?? {}, Object.fromEntries(wanted), at);
  }
  return { ...before, ...groups, points: Math.max(before.points, at + part.points) };
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
