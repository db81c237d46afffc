/* Agents: those of the coordinator, or of one campaign. */

import { h } from "./dom.js";
import * as format from "./format.js";
import { badge, isAny, labels, link, panel, seriesChart } from "./parts.js";
import { agentState } from "./model.js";
import { dataTable, number, text } from "./table.js";

const MISSING = "–";

/** The worst of its loops. */
function worstLag(agent) {
  if (agent.loop_lag_ms !== undefined) {
    return agent.loop_lag_ms;
  }
  const lags = (agent.gauges?.loops ?? []).map(({ loop_lag_ms }) => loop_lag_ms).filter(Boolean);
  return lags.length === 0 ? null : lags.reduce((worst, lag) => (lag.p99 > worst.p99 ? lag : worst));
}

function busiest(agent) {
  const shares = (agent.gauges?.loops ?? []).map(({ busy }) => busy);
  return shares.length > 0 ? Math.max(...shares) : null;
}

/** Of the last second while it runs; of the whole time in a report. */
const cpuOf = (agent) => agent.gauges?.cpu ?? agent.cpu ?? null;
const memoryOf = (agent) =>
  agent.gauges?.memory_bytes ?? (agent.gauges === undefined ? agent.memory_bytes : null) ?? null;
const clockOf = (agent) => agent.gauges?.clock ?? agent.clock ?? null;

function clock(agent) {
  const known = clockOf(agent);
  return known ? `${format.offset(known.offset_ms)} ± ${format.ms(known.uncertainty_ms)}` : MISSING;
}

function labelText(agent) {
  return Object.entries(agent.labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
}

function campaignLinks({ campaigns = [] }) {
  return campaigns.map((id) => [link(`/campaigns/${id}/overview`, String(id)), " "]);
}

const gauge = (key, title, value, show, more) =>
  number(key, title, value, (what) => (what === null || what === undefined ? MISSING : show(what)), more);

export function agentTable(ui, agents, { isWhole }) {
  const rows = agents.map((agent) => agent);
  const hasVersion = rows.some(({ version }) => version);
  return dataTable(ui, {
    id: "agents",
    caption: "Agents",
    rows,
    keyOf: ({ name, pid }) => `${name} ${pid ?? ""}`,
    filterable: true,
    sort: "name:up",
    empty: "No agent has joined. Start one: tutti agent --coordinator tcp://THIS-HOST:7440",
    classOf: (agent) => (["lost", "silent"].includes(agentState(agent)) ? "lost" : null),
    columns: [
      text("name", "agent", ({ name }) => name),
      text("state", "state", agentState, {
        show: (agent) => [
          badge(agentState(agent)),
          agentState(agent) === "silent" ? ` for ${format.ms(agent.heard_ms_ago)}` : null,
        ],
      }),
      text("host", "host", ({ host }) => host),
      gauge("workers", "workers", (agent) => agent.workers_running ?? agent.workers, format.count),
      gauge("cpu", "cpu", cpuOf, format.percent),
      gauge("memory", "memory", memoryOf, format.bytes),
      gauge("lag", "loop lag p99", (agent) => worstLag(agent)?.p99, format.ms),
      number(
        "clock",
        "clock",
        (agent) => clockOf(agent)?.offset_ms ?? null,
        () => null,
        { show: clock },
      ),
      text("labels", "labels", labelText, { show: (agent) => labels(agent.labels) }),
      ...(isWhole
        ? [
            text("version", "version", ({ version }) => version),
            gauge("cores", "cores", ({ cores }) => cores, format.count),
            gauge("host_cpu", "host cpu", ({ gauges }) => gauges?.host_cpu, format.percent, { isHidden: true }),
            gauge("busy", "busiest loop", busiest, format.percent, { isHidden: true }),
            gauge("shards", "threads", ({ shards }) => shards, format.count, { isHidden: true }),
            gauge("capacity", "capacity", ({ capacity }) => capacity, format.count, { isHidden: true }),
            gauge("backlog", "not acknowledged", ({ link_backlog }) => link_backlog, format.count, { isHidden: true }),
            gauge(
              "heard",
              "heard",
              ({ heard_ms_ago }) => heard_ms_ago,
              (ago) => `${format.ms(ago)} ago`,
              { isHidden: true },
            ),
            text("campaigns", "campaigns", ({ campaigns }) => (campaigns ?? []).join(" "), { show: campaignLinks }),
          ]
        : []),
      ...(hasVersion ? [text("version", "version", ({ version }) => version ?? "")] : []),
    ],
  });
}

export function allAgents(model, ui) {
  return panel(
    "Agents",
    model.agents === null ? h("p", { class: "note" }, "Asking…") : agentTable(ui, model.agents, { isWhole: true }),
  );
}

/** While it runs: as the campaign has them, with the gauges of the last second. */
function agentsOf({ campaign, agents }) {
  if (campaign.hasEnded && campaign.report) {
    return campaign.report.agents;
  }
  const known = new Map((agents ?? []).map((agent) => [agent.name, agent]));
  /* Silent or not, it is the coordinator's to say that it is lost. */
  return (campaign.live?.agents ?? []).map((agent) => ({ ...known.get(agent.name), ...agent }));
}

function charts(ui, campaign) {
  const load = campaign.series?.total?.load;
  return !load || !isAny(load.agents_cpu_s)
    ? null
    : h(
        "div",
        { class: "charts" },
        seriesChart(ui, campaign, {
          id: "cpu",
          title: "Processor time of all agents: cores",
          show: (cores) => cores.toFixed(cores < 0.1 ? 3 : 2),
          lines: [[load, "agents_cpu_s", "cores"]],
        }),
        seriesChart(ui, campaign, {
          id: "lag",
          title: "Loop lag of the worst agent",
          show: format.ms,
          lines: [
            [load, "agents_lag_p99_ms", "p99"],
            [load, "agents_lag_max_ms", "longest"],
          ],
        }),
      );
}

export function campaignAgents(model, ui) {
  return [
    panel("Agents", agentTable(ui, agentsOf(model), { isWhole: !model.campaign.hasEnded && model.agents !== null })),
    charts(ui, model.campaign),
  ];
}
