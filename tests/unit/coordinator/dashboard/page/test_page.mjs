/* The modules of the dashboard's page that need no browser. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";

const PAGE = path.resolve(
  import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname),
  "../../../../../coordinator/dashboard/page",
);
/* Served as modules; here a package has to say so. */
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tutti-page-"));
fs.cpSync(PAGE, folder, { recursive: true });
fs.writeFileSync(path.join(folder, "package.json"), '{"type": "module"}');
after(() => fs.rmSync(folder, { recursive: true }));
const load = (name) => import(path.join(folder, name));

const format = await load("format.js");
const series = await load("series.js");
const { scriptOptions, requiredModules } = await load("lua_options.js");
const { request } = await load("start_options.js");
const { look, guessScript } = await load("bundle.js");
const { arrange } = await load("table.js");
const { AddressUi, needsOf, routeOf, TABS } = await load("routes.js");
const { h, textOf } = await load("dom.js");
const { bottlenecks } = await load("parts.js");
const { compareRows } = await load("view_campaigns.js");
const { graphOf } = await load("picture.js");
const { levelOf } = await load("room_grid.js");
const { frozenSource } = await load("source.js");
const model = await load("model.js");

test("durations read as in the report in text", () => {
  const rows = [
    [0, "0 µs"],
    [0.25, "250 µs"],
    [1.234, "1.23 ms"],
    [9.996, "10.0 ms"],
    [123.4, "123 ms"],
    [999.6, "1.00 s"],
    [12340, "12.3 s"],
    [60000, "1 m"],
    [65000, "1 m 5 s"],
    [3723000, "1 h 2 m 3 s"],
    [null, "–"],
    [-2, "−2.00 ms"],
  ];
  for (const [milliseconds, text] of rows) {
    assert.equal(format.ms(milliseconds), text);
  }
});

test("counts, rates, shares and bytes", () => {
  assert.equal(format.count(1234567), "1,234,567");
  assert.equal(format.rate(99.94), "99.9/s");
  assert.equal(format.rate(1234.5), "1,235/s");
  assert.equal(format.percent(0.012), "1.2 %");
  assert.equal(format.percent(1), "100 %");
  assert.equal(format.bytes(1536), "1.50 KiB");
  assert.equal(format.offset(-1.2), "−1.20 ms");
  assert.equal(format.moment(3723), "1:02:03");
  assert.equal(format.moment(42), "0:42");
  assert.equal(format.momentSeconds("1:02:03"), 3723);
  assert.equal(format.momentSeconds("x"), null);
  assert.equal(format.readDuration("1m30s"), 90000);
  assert.equal(format.readDuration("250ms"), 250);
  assert.equal(format.readDuration("10"), 10000);
  assert.equal(format.readDuration("soon"), null);
  assert.equal(format.cut("🙂🙂🙂", 2), "🙂…");
});

const whole = (count) => ({
  point_s: 1,
  points: count.length,
  total: { requests: { count } },
  requests: {},
  timings: {},
  scenarios: {},
});

const every = () => true;

test("rows that come lie over those that were open, and double nothing", () => {
  const before = whole([1, 2, 3]);
  const more = { ...whole([30, 4]), since: 2 };
  assert.deepEqual(series.lay(before, more, every).total.requests.count, [1, 2, 30, 4]);
  assert.equal(series.lay(before, more, every).points, 4);
  assert.deepEqual(series.lay(before, { ...whole([20]), since: 1 }, every).total.requests.count, [1, 20, 3]);
  assert.deepEqual(series.lay(before, whole([10]), every).total.requests.count, [10, 2, 3]);
  assert.deepEqual(before.total.requests.count, [1, 2, 3]);
});

test("a name that appears later has counted nothing before, and only the open one is kept", () => {
  const more = { ...whole([3]), since: 2, requests: { late: { count: [7], p50_ms: [1] }, other: { count: [1] } } };
  assert.deepEqual(series.lay(whole([1, 2]), more, (group, name) => name === "late").requests, {
    late: { count: [0, 0, 7], p50_ms: [null, null, 1] },
  });
});

test("points of two seconds begin at every other second", () => {
  const before = { ...whole([1, 2, 3]), point_s: 2 };
  assert.deepEqual(series.lay(before, { ...whole([9]), point_s: 2, since: 4 }, every).total.requests.count, [1, 2, 9]);
});

test("what does not fit to what is there is asked for once more", () => {
  assert.equal(series.lay(null, { ...whole([1]), since: 5 }, every), null);
  assert.equal(series.lay(whole([1, 2]), { ...whole([1]), since: 5 }, every), null);
  assert.equal(series.lay(whole([1, 2]), { ...whole([1]), point_s: 2, since: 1 }, every), null);
});

test("thinning keeps the mean of what is added up and the worst of the rest", () => {
  const t = [0, 1, 2, 3];
  const columns = [
    { values: [1, 3, 5, null], isSum: true },
    { values: [1, 9, 2, null], isSum: false },
  ];
  assert.deepEqual(series.thin({ t, columns }, null, 2), [
    [0, 2, 9],
    [2, 5, 2],
  ]);
  assert.deepEqual(
    series.thin({ t, columns }, [1, 2], 900).map(([second]) => second),
    [0, 1, 2, 3],
  );
  const hour = Array.from({ length: 3600 }, (_, index) => index);
  assert.ok(series.thin({ t: hour, columns: [{ values: hour, isSum: true }] }, null, 900).length <= 900);
  assert.equal(series.thin({ t: hour, columns: [{ values: hour, isSum: true }] }, [100, 160], 900).length, 63);
});

test("options that a script writes out are known, those that it computes are named", () => {
  const { options, unknown } = scriptOptions(`local x = { workers = 9 } -- tutti.options { runs = 1 }
    tutti.options({ workers = 5, target = 'builtin', join = true, duration = "1m", threshold = { "http.p95 < 1s", "steps.failed < 1%" },
      rate = ("%d/s"):format(3), room_size = 2 * 5, think = [[uniform:1:2]] })`);
  assert.deepEqual(options, {
    workers: 5,
    target: "builtin",
    join: true,
    duration: "1m",
    think: "uniform:1:2",
    threshold: ["http.p95 < 1s", "steps.failed < 1%"],
  });
  assert.deepEqual(unknown, ["rate", "room_size"]);
  assert.deepEqual(
    requiredModules('require "tutti" local u = require("lib.users") require "tutti.http" require "math"'),
    ["lib.users"],
  );
});

const form = (more) => ({ values: {}, thresholds: "", env: "", more: "", agents: "1", ...more });

test("the form stands over the script, and runs over duration as on the command line", () => {
  const script = { workers: 5, runs: 10, target: "builtin", agents: 4, threshold: ["http.p95 < 1s"] };
  assert.deepEqual(request(form({}), script).options, {
    workers: 5,
    runs: 10,
    target: "builtin",
    thresholds: "http.p95 < 1s",
  });
  const wanted = request(
    form({
      values: { workers: "20", duration: "1m30s" },
      thresholds: "a < 1\n\nb < 2",
      env: "# none\nSHOP=blue=1",
      more: "fail=5%\non-loss=replace\ngrace=2s",
      agents: "3",
    }),
    script,
  );
  assert.deepEqual(wanted.options, {
    workers: 20,
    duration_ms: 90000,
    target: "builtin",
    thresholds: "a < 1;b < 2",
    fail_percent: 5,
    on_loss: "replace",
    has_grace: true,
    grace_ms: 2000,
  });
  assert.deepEqual([wanted.env, wanted.expect_agents, wanted.problems], [{ SHOP: "blue=1" }, 3, []]);
});

test("what cannot be meant is a problem, and is not sent", () => {
  const { problems, options } = request(
    form({ values: { workers: "many", duration: "soon" }, env: "oops", agents: "0" }),
    {},
  );
  assert.equal(problems.length, 4);
  assert.deepEqual(options, {});
});

test("a look at a bundle says what is missing", () => {
  const main = { path: "a/pad.lua", size: 10, text: 'local l = require "lib" tutti.scenario("x", f)' };
  const lib = { path: "a/lib.lua", size: 1, text: "return {}" };
  assert.equal(guessScript([lib, main, { path: "data.csv", size: 5 }]), "a/pad.lua");
  assert.equal(look([main], "a/pad.lua").warnings.length, 1);
  assert.deepEqual(look([main, lib], "a/pad.lua").warnings, []);
  assert.equal(look([], null).problems.length, 1);
});

test("tables sort numbers from the largest, names as people do, and what is missing last", () => {
  const columns = [
    { key: "name", value: ({ name }) => name, isText: true },
    { key: "n", value: ({ n }) => n, isText: false },
  ];
  const rows = [
    { name: "b10", n: null },
    { name: "b9", n: 3 },
    { name: "A", n: 7 },
  ];
  const names = (sort) => arrange(rows, columns, { filter: "", ...sort }).map(({ name }) => name);
  assert.deepEqual(names({ column: columns[0], isDown: false }), ["A", "b9", "b10"]);
  assert.deepEqual(names({ column: columns[1], isDown: true }), ["A", "b9", "b10"]);
  assert.deepEqual(names({ column: columns[1], isDown: false }), ["b9", "A", "b10"]);
  assert.deepEqual(
    arrange(rows, columns, { filter: "B 1", column: columns[0], isDown: false }).map(({ name }) => name),
    ["b10"],
  );
});

test("addresses name a view and what the reader has chosen", () => {
  const route = routeOf("#/campaigns/7/requests?find-requests=a%3Fb&open=requests:x");
  assert.deepEqual(
    [route.page, route.campaign, route.tab.name, route.params.get("find-requests")],
    ["campaign", 7, "requests", "a?b"],
  );
  assert.equal(needsOf(route).report, true);
  assert.deepEqual(routeOf("#/compare/1/2").compared, [1, 2]);
  for (const odd of ["", "#", "#/nothing", "#/campaigns/x", "#code=abc", "#/compare/1"]) {
    assert.equal(routeOf(odd).page, "campaigns");
  }
});

test("what is chosen goes into the address and comes back from it", () => {
  const location = { hash: "#/campaigns/7/overview" };
  let changes = 0;
  const ui = new AddressUi(
    location,
    { replaceState: (_state, _title, url) => (location.hash = url) },
    () => (changes += 1),
  );
  ui.set("t", "10-60");
  assert.equal(location.hash, "#/campaigns/7/overview?t=10-60");
  assert.equal(ui.get("t"), "10-60");
  ui.set("t", null);
  assert.deepEqual([location.hash, changes], ["#/campaigns/7/overview", 2]);
});

test("periods in which an agent was too late are shaded, single seconds are not", () => {
  const lag = [0, 200, 0, 150, 150, 150, 150, 150, 0];
  const marks = bottlenecks({ point_s: 1, total: { load: { agents_lag_p99_ms: lag } } });
  assert.deepEqual(
    marks.map(({ from, to }) => [from, to]),
    [[3, 8]],
  );
});

test("the picture of waits has each of them once", () => {
  const seats = [0, 1].map((worker) => ({ text: `worker ${worker}`, wait: { what: "the writer of pad", for: [4] } }));
  const graph = graphOf([...seats, { text: "worker 4", wait: null }]);
  assert.deepEqual(graph, {
    from: ["worker 0", "worker 1"],
    through: ["the writer of pad"],
    to: ["worker 4"],
    edges: [
      [0, 0],
      [1, 0],
    ],
    ends: [[0, 0]],
  });
});

test("rooms have a level by their oldest wait", () => {
  assert.deepEqual(
    [
      [0, 9],
      [1, 0.01],
      [1, 0.5],
      [1, 2],
      [1, 10],
      [1, 60],
    ].map(([waiting, oldest_wait_s]) => levelOf({ waiting, oldest_wait_s })),
    [0, 1, 2, 3, 4, 5],
  );
});

const REPORT = {
  campaign: 3,
  script: "pad.lua",
  name: "<img src=x onerror=alert(1)>",
  labels: {},
  verdict: "failed",
  reason: "2 of 2",
  workers: 5,
  workers_ran: 5,
  agents: [],
  started_at: "2026-01-01T00:00:00.000Z",
  duration_s: 2.5,
  steps: { ok: 8, failed: 2, stopped: 0, lost: 0, failed_by_loss: 0 },
  http: { count: 10, failed: 1, p50_ms: 1, p95_ms: 2, p99_ms: 3, max_ms: 4 },
  artifacts: [{ number: 1, name: "worker-1.png", kind: "screenshot", worker: 1, step: 2, size_bytes: 10 }],
  errors: [{ message: "oh <b>no</b>", count: 2, worker: 1, step: 1, scenario: "s" }],
  requests: {
    "<b>GET</b>": {
      count: 10,
      ok: 9,
      failed: 1,
      per_s: 4,
      p50_ms: 1,
      p95_ms: 2,
      p99_ms: 3,
      max_ms: 4,
      statuses: { 200: 9 },
    },
  },
  checks: {},
  thresholds: [],
  seen: {},
  last: [],
  convergence: {},
  bottlenecks: [],
  waits: {},
  tags: [],
  scenarios: {},
  groups: {},
  timings: {},
  series: null,
};

test("each view shows a frozen report without a coordinator", () => {
  const source = frozenSource({ report: REPORT, series: whole([5, 5, 0]) });
  const ui = { get: () => null, set: assert.fail };
  for (const { name, view } of TABS) {
    const text = textOf(h("div", {}, view(source.model, ui)));
    assert.ok(text.length > 20, name);
    assert.ok(!/undefined|NaN|\[object/.test(text), `${name}: ${text}`);
  }
  const requests = textOf(h("div", {}, TABS.find(({ name }) => name === "requests").view(source.model, ui)));
  assert.ok(requests.includes("<b>GET</b>104.0/s110 %"), requests);
});

test("changes between live numbers are told once each", () => {
  const live = model.newModel(true);
  live.campaign = model.newCampaign(1);
  const agents = (state) => [{ name: "a1", state }];
  model.takeLive(live, { state: "running", workers: 5, agents: agents("running") });
  model.takeLive(live, { state: "running", workers: 9, agents: agents("lost") });
  model.takeLive(live, { state: "running", workers: 9, agents: agents("lost") });
  assert.deepEqual(
    live.lines.map(({ text }) => text),
    ["agent a1 is lost", "the campaign has 9 workers now, it had 5"],
  );
});

test("two campaigns are compared by name", () => {
  const rows = compareRows({ requests: { a: { per_s: 1 } } }, { requests: { b: { per_s: 2 } } });
  assert.deepEqual(rows, [
    { name: "a", a: { per_s: 1 }, b: null },
    { name: "b", a: null, b: { per_s: 2 } },
  ]);
});
