/* The addresses of the page, all behind the "#", and which view and which data each has. */

import { overview } from "./view_overview.js";
import { checks, errors } from "./view_checks.js";
import { requests } from "./view_requests.js";
import { allAgents, campaignAgents } from "./view_agents.js";
import { seen } from "./view_seen.js";
import { campaigns, compare } from "./view_campaigns.js";
import { rooms } from "./view_rooms.js";

/**
 * The views of one campaign, which a frozen report has too: view(model, ui) is a description of what is shown.
 * @type {{name: string, title: string, view: function, needs: object}[]}
 */
export const TABS = [
  { name: "overview", title: "Overview", view: overview, needs: { series: true, agents: true } },
  { name: "requests", title: "Requests", view: requests, needs: { report: true, series: true } },
  { name: "errors", title: "Errors", view: errors, needs: { report: true } },
  { name: "checks", title: "Checks and thresholds", view: checks, needs: { report: true } },
  { name: "rooms", title: "Rooms", view: rooms, needs: { rooms: true, report: true } },
  { name: "seen", title: "Edit → seen", view: seen, needs: { report: true, series: true } },
  { name: "agents", title: "Agents", view: campaignAgents, needs: { agents: true, series: true, report: true } },
];

/**
 * @typedef {{page: string, campaign: ?number, tab: ?object, compared: ?number[], params: URLSearchParams}} Route
 * @param {string} hash as in location.hash
 * @returns {Route}
 */
export function routeOf(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split(/\?([^]*)/);
  const params = new URLSearchParams(query);
  const parts = path.split("/").filter(Boolean);
  const ids = parts.map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : null));
  if (parts[0] === "campaigns" && ids[1]) {
    return { page: "campaign", campaign: ids[1], tab: TABS.find(({ name }) => name === parts[2]) ?? TABS[0], params };
  }
  if (parts[0] === "compare" && ids[1] && ids[2]) {
    return { page: "compare", compared: [ids[1], ids[2]], params };
  }
  return { page: ["agents", "start"].includes(parts[0]) ? parts[0] : "campaigns", params };
}

/** What the source has to bring for a route. */
export function needsOf(route) {
  const needs = {
    campaigns: false,
    agents: false,
    ...route.tab?.needs,
    campaign: route.campaign ?? null,
    compared: route.compared ?? null,
  };
  if (route.page === "campaigns") {
    needs.campaigns = true;
  }
  if (route.page === "agents") {
    needs.agents = true;
  }
  const number = (tab, key) => {
    const text = route.tab?.name === tab ? (route.params.get(key) ?? "") : "";
    return /^\d{1,9}$/.test(text) ? Number(text) : null;
  };
  return {
    ...needs,
    room: number("rooms", "room"),
    file: number("errors", "file"),
    name: route.tab?.name === "requests" ? route.params.get("open") : null,
  };
}

/** The pages that are not about one campaign; one that needs more than the model has no view here. */
export const PAGES = {
  campaigns: { title: "All campaigns", view: campaigns },
  agents: { title: "All agents", view: allAgents },
  compare: { title: "Two campaigns compared", view: compare },
  start: { title: "Start a campaign", view: null },
};

/** What the reader has chosen, kept in the address, so that it can be sent to others and survives a reload. */
export class AddressUi {
  constructor(location, history, changed) {
    Object.assign(this, { location, history, changed });
  }

  get route() {
    if (this.location.hash !== this.hash) {
      this.hash = this.location.hash;
      this.known = routeOf(this.hash);
    }
    return this.known;
  }

  get(key) {
    return this.route.params.get(key);
  }

  set(key, value) {
    const { params } = this.route;
    if (value === null || value === undefined) {
      params.delete(key);
    } else {
      params.set(key, value);
    }
    const query = params.toString();
    const path = this.location.hash.split("?")[0] || "#/campaigns";
    this.history.replaceState(null, "", query === "" ? path : `${path}?${query}`);
    this.changed();
  }
}
