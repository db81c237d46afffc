/* The options of a new campaign: what the form has, what the script has, and what the API takes. Pure. */

import { readDuration } from "./format.js";

/** @typedef {{key: string, title: string, kind: string, api: string, hint: string}} Field `key` is the name in Lua */

/** @type {Field[]} */
export const FIELDS = [
  { key: "workers", title: "Workers", kind: "number", api: "workers", hint: "5" },
  { key: "runs", title: "Steps of each", kind: "number", api: "runs", hint: "0: no limit" },
  { key: "duration", title: "Duration", kind: "duration", api: "duration_ms", hint: "5m" },
  { key: "ramp_up", title: "Ramp up over", kind: "duration", api: "ramp_up_ms", hint: "30s" },
  { key: "rate", title: "Rate", kind: "text", api: "rate", hint: "50/s" },
  { key: "stages", title: "Shape (stages)", kind: "list", api: "stages", hint: "1m:50,5m:50,1m:0", separator: "," },
  { key: "room_size", title: "Room size", kind: "number", api: "room_size", hint: "0: one room" },
  { key: "target", title: "Target", kind: "text", api: "target", hint: "http://shop.test or builtin" },
  { key: "name", title: "Name", kind: "text", api: "name", hint: "what it is called in lists" },
  { key: "label", title: "Labels", kind: "list", api: "labels", hint: "team=web,tier=gold", separator: "," },
  { key: "on", title: "Only on agents with", kind: "text", api: "on", hint: "zone=a" },
];

/** Options that have a kind of their own in the API, whose names do not follow from those in Lua. */
const OTHERS = {
  grace: (value) => ({ has_grace: true, grace_ms: duration(value) }),
  fail: (value) => (/%$/.test(value) ? { fail_percent: parseFloat(value) } : { fail_steps: Number(value) }),
  trace: (value) => ({ trace_percent: value === "all" ? 100 : value === "off" ? 0 : parseFloat(value) }),
  verbose: (value) => ({ verbosity: Number(value) }),
  sizing: (value) =>
    typeof value === "number"
      ? { sizing: true, sizing_workers: value }
      : { sizing: value === true || value === "true" },
  threshold: (value) => ({ thresholds: [value].flat().join(";") }),
};
const DURATIONS = new Set(["delay", "pacing", "sizing_latency", "sizing_window", "sync_timeout", "setup_timeout"]);
const NUMBERS = new Set(["shared_runs", "max_workers", "sizing_tolerance", "seed"]);
const FLAGS = new Set(["join", "insecure", "phases", "single_run", "exception"]);
const LISTS = { resolve: " ", load: "\n", cert: "", ca: "", key: "" };
/** Of `tutti run` on one machine; the bundle has the files. */
const IGNORED = new Set(["agents", "shards", "json", "quiet", "files"]);

function duration(value) {
  const found = typeof value === "number" ? Math.round(value * 1000) : readDuration(String(value).trim());
  if (found === null) {
    throw new Error(`${value} is no duration such as 10s, 5m or 1h30m`);
  }
  return found;
}

function number(value) {
  const found = Number(value);
  if (String(value).trim() === "" || Number.isNaN(found)) {
    throw new Error(`${value} is no number`);
  }
  return found;
}

function valueOf({ kind, separator }, value) {
  return kind === "number"
    ? number(value)
    : kind === "duration"
      ? duration(value)
      : kind === "list"
        ? [value].flat().join(separator)
        : String(value);
}

/** One option, by its name in Lua, as the API has it. Throws with what is wrong. */
export function option(name, value) {
  const field = FIELDS.find(({ key }) => key === name);
  if (field) {
    return { [field.api]: valueOf(field, value) };
  }
  if (name in OTHERS) {
    return OTHERS[name](value);
  }
  if (DURATIONS.has(name)) {
    return { [`${name}_ms`]: duration(value) };
  }
  if (NUMBERS.has(name)) {
    return { [name]: number(value) };
  }
  if (FLAGS.has(name)) {
    return { [name]: value === true || value === "true" };
  }
  return { [name]: [value].flat().join(LISTS[name] ?? ",") };
}

/** "NAME=VALUE" lines, "#" begins a remark. */
export function lines(text) {
  const found = [];
  for (const line of text
    .split("\n")
    .map((each) => each.trim())
    .filter((each) => each !== "" && !each.startsWith("#"))) {
    const at = line.indexOf("=");
    if (at < 1) {
      throw new Error(`“${line}” is not NAME=VALUE`);
    }
    found.push([line.slice(0, at).trim(), line.slice(at + 1).trim()]);
  }
  return found;
}

function collect(into, problems, where, act) {
  try {
    Object.assign(into, act());
  } catch (error) {
    problems.push(`${where}: ${error.message}`);
  }
}

/**
 * What is sent: the options of the script, over them those of the form.
 * @param {{values: object, thresholds: string, env: string, more: string, agents: string}} form
 * @returns {{options: object, env: object, expect_agents: number, problems: string[]}}
 */
export function request(form, fromScript) {
  const problems = [];
  const options = {};
  const env = {};
  const { values } = form;
  const isLimited = Boolean(values.runs || values.duration);
  for (const [name, value] of Object.entries(fromScript)) {
    /* --runs and --duration belong together: where the form has one, the script's other one does not hold. */
    if (!IGNORED.has(name) && !(isLimited && (name === "runs" || name === "duration"))) {
      collect(options, problems, `${name} of the script`, () => option(name, value));
    }
  }
  for (const { key, title } of FIELDS) {
    if (values[key]) {
      collect(options, problems, title, () => option(key, values[key]));
    }
  }
  const thresholds = form.thresholds
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  if (thresholds.length > 0) {
    options.thresholds = thresholds.join(";");
  }
  collect(options, problems, "More options", () =>
    Object.assign({}, ...lines(form.more).map(([name, value]) => option(name.replaceAll("-", "_"), value))),
  );
  collect(env, problems, "Parameters", () => Object.fromEntries(lines(form.env)));
  const agents = Number(form.agents || 1);
  if (!Number.isInteger(agents) || agents < 1) {
    problems.push(`Agents: ${form.agents} is no number from 1 on`);
  }
  return { options, env, expect_agents: agents, problems };
}
