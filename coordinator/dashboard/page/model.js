/* What a page shows, whichever source it comes from. Pure. */

const LINES_MAX = 200;

/**
 * @typedef {object} Campaign
 * @property {number} id
 * @property {?object} live the object of GET /v1/campaigns/ID
 * @property {?object} report the object of …/report
 * @property {?object} series the object of …/series
 * @property {?object} rooms the object of …/rooms; null where there is none
 * @property {?object} room one of them, opened
 * @property {string[]} deadlocks as the coordinator describes them
 * @property {Map<number, string>} files what failed steps have left, by number: pictures as data: URLs, sources as text
 * @property {boolean} hasEnded
 */

/** @returns {Campaign} */
export function newCampaign(id) {
  return {
    id,
    live: null,
    report: null,
    series: null,
    rooms: null,
    room: null,
    deadlocks: [],
    files: new Map(),
    hasEnded: false,
    version: 0,
  };
}

export function newModel(isLive) {
  return {
    isLive,
    now: Date.now(),
    away: null,
    problem: null,
    needsLogin: false,
    campaigns: null,
    journal: null,
    agents: null,
    campaign: null,
    lines: [],
  };
}

/** Notes what happened, newest last. */
export function say(model, text, kind = "info") {
  model.lines = [...model.lines, { at: model.now, text, kind, number: (model.lines.at(-1)?.number ?? 0) + 1 }].slice(
    -LINES_MAX,
  );
}

/** An agent says something each second: one that has not for so long may be gone, long before it counts as lost. */
const SILENT_MS = 1800;

/** The state of an agent, or that it is silent. */
export function agentState({ state, heard_ms_ago }) {
  return (state === "running" || state === "idle") && heard_ms_ago > SILENT_MS ? "silent" : state;
}

/** Takes the agents, and notes which have fallen silent, of the campaign if there is one. */
export function takeAgents(model, agents) {
  const before = new Map((model.agents ?? []).map((agent) => [agent.name, agentState(agent)]));
  for (const agent of agents) {
    const state = agentState(agent);
    const isOurs = !model.campaign || agent.campaigns.includes(model.campaign.id);
    if (
      isOurs &&
      before.has(agent.name) &&
      before.get(agent.name) !== state &&
      [state, before.get(agent.name)].includes("silent")
    ) {
      say(
        model,
        state === "silent" ? `agent ${agent.name} is silent` : `agent ${agent.name} is ${state} after a silence`,
        state === "silent" ? "bad" : "info",
      );
    }
  }
  model.agents = agents;
}

/** Takes the live numbers of the campaign, and notes which agents changed. */
export function takeLive(model, live) {
  const { campaign } = model;
  const before = new Map((campaign.live?.agents ?? []).map(({ name, state }) => [name, state]));
  for (const { name, state } of live.agents ?? []) {
    if (before.has(name) && before.get(name) !== state) {
      say(model, `agent ${name} is ${state}`, state === "lost" ? "bad" : "info");
    }
  }
  if (campaign.live && campaign.live.state !== live.state) {
    say(model, `the campaign is ${live.state}`);
  }
  if (campaign.live && campaign.live.workers !== live.workers) {
    say(model, `the campaign has ${live.workers} workers now, it had ${campaign.live.workers}`);
  }
  campaign.live = live;
  campaign.hasEnded = live.state === "ended";
}

export function takeReport(model, report) {
  model.campaign.report = report;
}

/** Takes the series with what has come; null changes nothing. */
export function takeSeries(model, series) {
  if (series !== null) {
    model.campaign.series = series;
    model.campaign.version += 1;
  }
}

/** The verdict with words: also of what runs. */
export function outcomeOf(summary) {
  return summary.verdict ?? summary.state;
}
