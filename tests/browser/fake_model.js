/* Models as large, and as hostile, as the page has to bear. Function declarations for the start of a function body. */
const load = (name) => import(`${location.origin}/dashboard/${name}`);

function columnsOf(points, keys) {
  return Object.fromEntries(
    keys.map((key, row) => [key, Array.from({ length: points }, (_, index) => 50 + ((index * (row + 7)) % 40))]),
  );
}

const TIMES = ["p50_ms", "p95_ms", "p99_ms", "max_ms"];

function fakeSeries(points, names) {
  const requests = ["count", "failed", "bytes_in", "bytes_out", ...TIMES];
  const steps = ["ok", "failed", "stopped", "lost", ...TIMES];
  return {
    point_s: 1,
    points,
    timings: {},
    scenarios: {},
    requests: Object.fromEntries(names.map((name) => [name, columnsOf(points, requests)])),
    total: {
      requests: columnsOf(points, requests),
      steps: columnsOf(points, steps),
      waits: columnsOf(points, ["count", "not_ok", ...TIMES]),
      seen: columnsOf(points, ["count", ...TIMES]),
      arrivals: columnsOf(points, ["count", "dropped", ...TIMES]),
      messages: columnsOf(points, ["in", "out", "bytes_in", "bytes_out"]),
      load: columnsOf(points, ["workers", "agents_cpu_s", "agents_lag_p99_ms", "agents_lag_max_ms"]),
    },
  };
}

function timing(index) {
  return {
    count: 1000 + index,
    ok: 990,
    failed: index % 7,
    per_s: 12.5,
    min_ms: 0.1,
    mean_ms: 2,
    p50_ms: 1 + index / 100,
    p90_ms: 3,
    p95_ms: 4,
    p99_ms: 8,
    p999_ms: 12,
    max_ms: 40,
    stddev_ms: 1,
    bytes_in: 12345,
    bytes_out: 99,
    statuses: { 200: 990, 500: index % 7 },
    short: 0,
    timeout: 0,
    deadlock: 0,
    stopped: 0,
  };
}

const by = (names, of) => Object.fromEntries(names.map((name, index) => [name, of(index)]));

function fakeReport(names, agents) {
  return {
    campaign: 1,
    script: `/x/${names[0]}`,
    name: names[0],
    labels: { [names[0]]: names[0] },
    verdict: "failed",
    reason: names[0],
    workers: 50000,
    workers_ran: 50000,
    agents,
    started_at: "2026-01-01T00:00:00.000Z",
    duration_s: 3600,
    steps: { ok: 1e6, failed: 12, stopped: 0, lost: 0, failed_by_loss: 0 },
    http: timing(0),
    requests: by(names, timing),
    scenarios: by(names.slice(0, 20), timing),
    timings: {},
    groups: {},
    waits: by(names.slice(0, 20), timing),
    tags: [],
    errors: names
      .slice(0, 100)
      .map((message, index) => ({ message, count: index + 1, worker: index, step: 3, scenario: message })),
    checks: by(names.slice(0, 100), (index) => ({
      passed: 100,
      failed: index,
      message: names[index],
      worker: 1,
      step: 2,
    })),
    thresholds: names
      .slice(0, 20)
      .map((threshold) => ({ threshold, outcome: "missed", value: 3, unit: "ms", reached: "3 ms", missed_at_s: 42 })),
    seen: by(names.slice(0, 10), () => ({
      count: 10,
      p50_ms: 1,
      p95_ms: 3,
      p99_ms: 5,
      max_ms: 9,
      spread_p50_ms: 1,
      spread_max_ms: 2,
      last: { 4: 10 },
      before_edit: 0,
      clock_uncertainty_ms: 0.4,
    })),
    convergence: by(names.slice(0, 2), () => ({
      steps: 10,
      diverged: 1,
      reads: 40,
      differed: 1,
      examples: [{ room: 0, step: 1, reads: 4, differed: 1, from: "written", workers: [1], texts: names.slice(0, 2) }],
    })),
    last: names.slice(0, 10).map((name, index) => ({
      name,
      kind: "barrier",
      workers: [{ worker: index, agent: name, times: 3, waited_s: 1.5 }],
    })),
    bottlenecks: [{ agent: names[0], duration_s: 14, loop_busy: 0.99 }],
  };
}

function fakeAgents(names) {
  return names.map((name, index) => ({
    name,
    host: name,
    pid: index,
    labels: { zone: name },
    workers: 50,
    workers_running: 50,
    state: index % 9 ? "running" : "lost",
    cores: 4,
    shards: 4,
    capacity: null,
    link_backlog: 0,
    heard_ms_ago: 12,
    campaigns: [1],
    version: name,
    gauges: {
      cpu: 0.5,
      host_cpu: 0.4,
      memory_bytes: 2e7,
      clock: { offset_ms: 0.1, uncertainty_ms: 0.2 },
      loops: [{ loop_lag_ms: { p99: 1 + (index % 5), max: 9 }, busy: 0.3 }],
    },
  }));
}

function fakeRooms(count, name) {
  const rooms = Array.from({ length: count }, (_, room) => ({
    room,
    step: 3,
    oldest_wait_s: room % 5 ? (room % 300) / 10 : null,
    waiting: room % 5,
    workers: 5,
    live: 5,
  }));
  const seats = Array.from({ length: 5 }, (_, seat) => ({
    seat,
    worker: seat,
    agent: name,
    state: seat < 4 ? "waiting" : "running",
    step: 3,
    wait:
      seat < 4
        ? {
            kind: "wait_for_writer",
            name,
            step: 3,
            call: 1,
            age_s: 2.5,
            timeout_s: 60,
            arrived: null,
            parties: null,
            for: [4],
            for_more: false,
          }
        : null,
  }));
  return { rooms: { total: count, rooms }, room: { room: 0, seats } };
}

async function fakeModel({ names, agentNames, points, roomCount, hasEnded }) {
  const { newCampaign, newModel, say } = await load("model.js");
  const model = newModel(true);
  const agents = fakeAgents(agentNames);
  const report = fakeReport(names, agents);
  const live = {
    ...report,
    state: hasEnded ? "ended" : "running",
    verdict: hasEnded ? report.verdict : null,
    elapsed_s: 3600,
    workers_running: 49000,
    requests_per_s: 12500,
    failed_per_s: 1,
    p50_ms: 1,
    p95_ms: 2,
    p99_ms: 3,
    messages_per_s: 0,
    window_s: 10,
    waiting: names[0],
  };
  model.campaign = {
    ...newCampaign(1),
    live,
    report,
    series: fakeSeries(points, names.slice(0, 20)),
    deadlocks: [names[0]],
    hasEnded,
    ...fakeRooms(roomCount, names[0]),
  };
  model.agents = agents;
  model.campaigns = names.slice(0, 200).map((name, index) => ({
    campaign: index + 1,
    script: name,
    name,
    labels: { a: name },
    state: "ended",
    verdict: "failed",
    workers: 5,
    started_at: "2026-01-01T00:00:00.000Z",
    elapsed_s: 60,
    steps: { ok: 5, failed: 1 },
    agents: 3,
  }));
  model.compared = [report, { ...report, campaign: 2 }];
  names.slice(0, 20).forEach((name) => say(model, name, "bad"));
  return model;
}

/** Takes the place of the page, which would draw over it. */
async function stage() {
  document.getElementById("page")?.remove();
  const place = document.createElement("div");
  document.body.append(place);
  return place;
}

function fakeUi(values) {
  return { get: (key) => values[key] ?? null, set: () => {} };
}

async function showHostile(names) {
  const { patch, h } = await load("dom.js");
  const { TABS, PAGES } = await load("routes.js");
  const { title, tabs, deadlocks, head } = await load("shell.js");
  const place = await stage();
  let text = "";
  let elements = 0;
  for (const hasEnded of [false, true]) {
    const model = await fakeModel({ names, agentNames: names, points: 30, roomCount: 10, hasEnded });
    const ui = fakeUi({ open: `requests:${names[0]}`, room: "0", "rows-rate": "0" });
    const views = [...TABS, PAGES.campaigns, PAGES.agents, PAGES.compare];
    for (const { view, name = "" } of views) {
      patch(place, [
        head({ page: "" }),
        h(
          "main",
          { key: name },
          title(model.campaign),
          tabs(model.campaign, TABS[0]),
          deadlocks(model.campaign),
          view(model, ui),
        ),
      ]);
      await new Promise((resolve) => setTimeout(resolve, 60));
      text += place.innerText;
      elements += place.querySelectorAll("img, script, iframe, [onerror]").length;
    }
  }
  return { text, elements };
}

/** For each view, the milliseconds of its first drawing and of an update with new numbers, both with their layout. */
async function measure() {
  const { patch, h } = await load("dom.js");
  const { TABS } = await load("routes.js");
  const names = Array.from({ length: 500 }, (_, index) => `GET /shop/${index}`);
  const agentNames = Array.from({ length: 1000 }, (_, index) => `agent-${index}`);
  const model = await fakeModel({ names, agentNames, points: 3600, roomCount: 10000, hasEnded: false });
  const place = await stage();
  const took = {};
  for (const { name, view } of TABS) {
    const draw = () => {
      const began = performance.now();
      patch(place, [h("main", { key: name }, view(model, fakeUi({})))]);
      document.body.offsetHeight;
      return performance.now() - began;
    };
    const first = draw();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const updates = [];
    for (let round = 0; round < 12; round += 1) {
      grow(model);
      updates.push(draw());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    /* The quickest: what else the machine does can only add to it. */
    took[name] = [Math.round(first), Math.round(Math.min(...updates))];
  }
  return took;
}

/** A second passes: each number changes, a point is added to the totals. */
function grow(model) {
  const { campaign } = model;
  for (const row of Object.values(campaign.report.requests)) {
    row.count += 13;
    row.p95_ms += 0.01;
  }
  for (const agent of model.agents) {
    agent.gauges.cpu += 0.01;
  }
  for (const columns of Object.values(campaign.series.total)) {
    for (const column of Object.values(columns)) {
      column.push(60);
    }
  }
  campaign.series = { ...campaign.series, points: campaign.series.points + 1 };
  campaign.version += 1;
  campaign.rooms = {
    ...campaign.rooms,
    rooms: campaign.rooms.rooms.map((room) => ({ ...room, oldest_wait_s: room.oldest_wait_s + 0.1 })),
  };
  model.agents = [...model.agents];
  campaign.live = { ...campaign.live, steps: { ...campaign.live.steps, ok: campaign.live.steps.ok + 1 } };
}
