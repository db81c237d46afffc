/* Where the data of the page comes from: a coordinator, asked and listened to; or an object that was frozen. */

import { lay } from "./series.js";
import { newCampaign, newModel, say, takeAgents, takeLive, takeReport, takeSeries } from "./model.js";

const TICK_MS = 1000;
/** What takes long is asked for less often, so that asking takes at most this share of the time. */
const SHARE_OF_TIME = 20;
/** Points before the last one that may still change, since agents report late. */
const OPEN_POINTS = 15;
const RETRY_MAX_MS = 5000;
/** As many as one answer has. */
const ROOMS_MAX = 20000;

/** A report and its series from `<script type="application/json" id=…>`. */
export function frozenSource(data) {
  const model = newModel(false);
  model.campaign = {
    ...newCampaign(data.report.campaign),
    report: data.report,
    series: data.series ?? data.report.series ?? null,
    live: data.live ?? null,
    deadlocks: data.deadlocks ?? [],
    hasEnded: true,
  };
  model.agents = data.agents ?? null;
  return { model, follow() {}, stop() {} };
}

/** A coordinator. `changed` is called whenever the model has changed. */
export class LiveSource {
  constructor(api, changed) {
    this.api = api;
    this.changed = changed;
    this.model = newModel(true);
    this.needs = {};
    this.due = new Map();
    this.stream = null;
    this.timer = null;
  }

  /**
   * What the view needs: {campaigns, agents, report, series, rooms: boolean; campaign, room, file: number or null; name: an opened row or null}. What
   * was asked for another campaign is forgotten.
   */
  follow(needs) {
    const before = this.needs;
    this.needs = needs;
    if ((needs.campaign ?? null) !== (before.campaign ?? null)) {
      this.stream?.abort();
      this.stream = null;
      this.model.problem = null;
      this.model.lines = [];
      this.model.campaign = needs.campaign ? newCampaign(needs.campaign) : null;
      this.due.clear();
      if (needs.campaign) {
        this.listen(needs.campaign);
      }
    }
    if (JSON.stringify(needs) !== JSON.stringify(before)) {
      this.due.clear();
      this.hurry();
    }
  }

  /** Asks now for what is due. */
  hurry() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tick(), 0);
  }

  /** After something was changed: everything is due. */
  refresh() {
    this.due.clear();
    this.hurry();
  }

  /** After a login. */
  again() {
    this.model.needsLogin = false;
    this.model.problem = null;
    if (this.needs.campaign && this.stream === null) {
      this.listen(this.needs.campaign);
    }
    this.refresh();
  }

  stop() {
    clearTimeout(this.timer);
    this.stream?.abort();
    this.isStopped = true;
  }

  fail(error) {
    const { model } = this;
    if (error.name === "AbortError") {
      return;
    }
    if (error.status === 401) {
      /* A login may have come between the request and its refusal. */
      model.needsLogin = error.token === this.api.token;
    } else if (error.status === 0 || error.status >= 500) {
      if (!model.away) {
        say(model, error.message, "bad");
      }
      model.away ??= { since: Date.now(), reason: error.message };
    } else {
      model.problem = error.message;
    }
    this.changed();
  }

  /** Of what the reader has asked for: what was refused is shown where it was asked, the rest goes on. */
  refused(error) {
    if (error.status === 401 || error.status === 0 || error.status >= 500) {
      this.fail(error);
    }
  }

  isBack() {
    if (this.model.away) {
      say(this.model, "the coordinator answers again", "good");
      this.model.away = null;
    }
    this.model.needsLogin = false;
  }

  /** Asks for one thing if it is due. */
  async ask(name, path, take) {
    const now = Date.now();
    if (now < (this.due.get(name) ?? 0)) {
      return;
    }
    const { campaign } = this.needs;
    this.due.set(name, now + TICK_MS - 50);
    const object = await this.api.get(path);
    if ((this.needs.campaign ?? null) !== (campaign ?? null)) {
      return;
    }
    this.due.set(name, Math.max(now + TICK_MS - 50, Date.now() + (Date.now() - now) * SHARE_OF_TIME));
    this.isBack();
    take(object);
  }

  async tick() {
    if (this.isStopped) {
      return;
    }
    const round = (this.round = {});
    this.model.now = Date.now();
    try {
      if (!document.hidden && !this.model.needsLogin) {
        await this.askAll();
      }
    } catch (error) {
      this.fail(error);
    }
    this.model.now = Date.now();
    this.changed();
    if (round === this.round) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.tick(), TICK_MS);
    }
  }

  async askAll() {
    const { needs, model } = this;
    if (needs.campaigns) {
      await this.ask("campaigns", "/v1/campaigns", ({ campaigns, journal }) =>
        Object.assign(model, { campaigns, journal }),
      );
    }
    if (needs.agents) {
      await this.ask("agents", "/v1/agents", ({ agents }) => takeAgents(model, agents));
    }
    if (needs.compared) {
      await this.askCompared(needs.compared);
    }
    if (needs.campaign && model.campaign && !model.problem) {
      await this.askCampaign(`/v1/campaigns/${needs.campaign}`);
    }
  }

  /** Reports of two campaigns, which are only asked for again if one has not ended. */
  async askCompared(ids) {
    const { model } = this;
    const known = (model.compared ?? []).map(({ campaign }) => campaign);
    if (String(known) !== String(ids)) {
      model.compared = null;
    } else if (model.compared.every(({ verdict }) => verdict !== null)) {
      return;
    }
    const reports = [];
    for (const id of ids) {
      reports.push(await this.api.get(`/v1/campaigns/${id}/report`));
    }
    this.isBack();
    model.compared = reports;
  }

  async askCampaign(path) {
    const { needs, model } = this;
    const { hasEnded } = model.campaign;
    if (needs.report && !(hasEnded && model.campaign.isReportLast)) {
      await this.ask("report", `${path}/report`, (report) => {
        takeReport(model, report);
        model.campaign.isReportLast = hasEnded;
      });
    }
    if (needs.series && !(hasEnded && model.campaign.isSeriesLast)) {
      await this.askSeries(path, hasEnded);
    }
    if (needs.file !== null && !model.campaign.files.has(needs.file)) {
      await this.askFile(path, needs.file);
    }
    if (needs.rooms && !hasEnded) {
      await this.askRooms(path);
    }
  }

  /** Files of long ago are not kept: null. */
  async askFile(path, number) {
    const { files } = this.model.campaign;
    try {
      files.set(number, await this.api.file(`${path}/artifacts/${number}`));
    } catch (error) {
      if (error.status !== 404) {
        throw error;
      }
      files.set(number, null);
    }
  }

  /** All of the series, with the row that is open: once, and again where what came since does not fit to it. */
  async askSeries(path, hasEnded) {
    const { model, needs } = this;
    const { campaign } = model;
    const open = /^(requests|timings|scenarios):([^]+)$/.exec(needs.name ?? "");
    const isWhole = campaign.series === null || campaign.isGapped || campaign.openRow !== needs.name || hasEnded;
    if (!isWhole && campaign.series.point_s === 1 && this.stream !== null) {
      return;
    }
    const since = isWhole
      ? ""
      : `&since=${Math.max(0, campaign.series.points - OPEN_POINTS) * campaign.series.point_s}`;
    try {
      const part = open ? `name=${encodeURIComponent(`${open[1]}.${open[2]}`)}` : "only=total";
      await this.ask("series", `${path}/series?${part}${since}`, (series) => {
        const now = since === "" ? series : lay(campaign.series, series, () => true);
        Object.assign(campaign, { isGapped: now === null, openRow: needs.name, isSeriesLast: hasEnded });
        takeSeries(model, now);
      });
    } catch (error) {
      /* There is none before the workers begin, and not any more of a campaign of long ago. */
      if (error.status !== 404) {
        throw error;
      }
    }
  }

  /** A second that was counted. Points of a long campaign stand for more than one: then they are asked for. */
  takeRow(row) {
    const { campaign } = this.model;
    const { series } = campaign;
    if (!series || series.point_s !== row.point_s) {
      return;
    }
    const now = lay(series, row, (group, name) => `${group}:${name}` === campaign.openRow);
    campaign.isGapped = campaign.isGapped || now === null;
    takeSeries(this.model, now);
  }

  /** A campaign that has ended meanwhile has no rooms any more (409). */
  async askRooms(path) {
    const { needs, model } = this;
    const { campaign } = model;
    try {
      await this.ask("rooms", `${path}/rooms?limit=${ROOMS_MAX}`, (rooms) => (campaign.rooms = rooms));
      if (needs.room !== null) {
        await this.ask("room", `${path}/rooms/${needs.room}`, (room) => (campaign.room = room));
      }
    } catch (error) {
      if (error.status !== 404 && error.status !== 409) {
        throw error;
      }
      campaign.room = null;
    }
  }

  /** Listens to the events of the campaign until it has ended; after a break it begins again. */
  async listen(id) {
    const stream = new AbortController();
    this.stream = stream;
    let wait = TICK_MS / 2;
    while (!stream.signal.aborted && !this.model.campaign.hasEnded) {
      try {
        const { series } = this.model.campaign;
        const since = series ? Math.max(0, series.points - 1) * series.point_s : 0;
        await this.api.events(
          `/v1/campaigns/${id}/events?since=${since}`,
          (name, data) => {
            wait = TICK_MS / 2;
            this.happen(name, data);
          },
          stream.signal,
        );
      } catch (error) {
        this.fail(error);
        if (error.status >= 400 && error.status < 500) {
          break;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, RETRY_MAX_MS);
    }
    if (this.stream === stream) {
      this.stream = null;
    }
  }

  happen(name, data) {
    const { model } = this;
    this.isBack();
    model.now = Date.now();
    if (name === "progress") {
      takeLive(model, data);
    } else if (name === "series") {
      this.takeRow(data);
    } else if (name === "skipped") {
      model.campaign.isGapped = true;
    } else if (name === "deadlock") {
      model.campaign.deadlocks = [...model.campaign.deadlocks.filter((text) => text !== data.text), data.text];
      say(model, `deadlock: ${data.text}`, "bad");
    } else if (name === "ended") {
      this.ended(data);
    }
    this.changed();
  }

  /** A large report is not part of the event; the numbers of the end are asked for once more. */
  ended(data) {
    const { campaign } = this.model;
    campaign.hasEnded = true;
    campaign.isReportLast = typeof data.report !== "string";
    if (campaign.isReportLast) {
      campaign.report = data;
    }
    this.api.get(`/v1/campaigns/${campaign.id}`).then(
      (live) => {
        if (this.model.campaign === campaign) {
          takeLive(this.model, live);
          this.refresh();
        }
      },
      (error) => this.fail(error),
    );
  }
}
