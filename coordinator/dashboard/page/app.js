/* The page on a coordinator: what the address says is shown, with what the coordinator says. */

import { Api } from "./api.js";
import { controlActions, controls } from "./controls.js";
import { h, patch } from "./dom.js";
import { say } from "./model.js";
import { AddressUi, needsOf, PAGES } from "./routes.js";
import { deadlocks, head, login, notices, tabs, title } from "./shell.js";
import { LiveSource } from "./source.js";
import { start, startActions } from "./view_start.js";

const api = new Api();
/** What is typed and asked, and is no part of the address. */
const memory = { login: { token: "", error: null, isBusy: false }, control: null, form: undefined };
const root = document.getElementById("page");
let isDue = false;

/** Draws once before the next picture, however much has changed. */
function changed() {
  if (!isDue) {
    isDue = true;
    /* A page that is not seen gets no pictures, and is drawn when it is seen again. */
    requestAnimationFrame(() => {
      isDue = false;
      draw();
    });
  }
}

const ui = new AddressUi(window.location, window.history, changed);
const source = new LiveSource(api, changed);
const { model } = source;
const act = controlActions({ memory, source, api, changed, say: (text, kind) => say(model, text, kind) });
const startAct = startActions({
  memory,
  api,
  changed,
  fail: (error) => source.refused(error),
  go: (to) => (window.location.hash = to),
});

const loginAct = {
  token(text) {
    memory.login = { ...memory.login, token: text };
  },
  async login() {
    if (memory.login.isBusy) {
      return;
    }
    api.token = memory.login.token.trim();
    memory.login = { ...memory.login, isBusy: true, error: null };
    changed();
    try {
      await api.get("/v1/campaigns");
      memory.login = { token: "", error: null, isBusy: false };
      source.again();
    } catch (error) {
      api.token = null;
      memory.login = {
        ...memory.login,
        isBusy: false,
        error: error.status === 401 ? "The coordinator does not take this token." : error.message,
      };
    }
    changed();
  },
};

async function download(kind, campaign) {
  const response = await api.fetch("GET", `/v1/campaigns/${campaign.id}/${kind}`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = `campaign-${campaign.id}-${kind}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function downloads(campaign) {
  const button = (kind, text) =>
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        onclick: () => download(kind, campaign).catch((error) => source.refused(error)),
      },
      text,
    );
  return h(
    "p",
    { class: "downloads" },
    button("report", "Download the report (JSON)"),
    " ",
    button("series", "Download its seconds (JSON)"),
  );
}

function campaignPage(route) {
  const { campaign } = model;
  return campaign === null
    ? []
    : [
        title(campaign),
        controls(campaign, memory.control, act),
        tabs(campaign, route.tab),
        deadlocks(campaign),
        h("div", { key: route.tab.name, class: "view" }, route.tab.view(model, ui)),
        downloads(campaign),
      ];
}

function content(route) {
  if (model.needsLogin) {
    return login(memory.login, loginAct);
  }
  if (route.page === "campaign") {
    return campaignPage(route);
  }
  const { title: name, view } = PAGES[route.page];
  return [h("h2", { class: "hidden" }, name), view === null ? start(memory.form, startAct) : view(model, ui)];
}

function draw() {
  const { route } = ui;
  source.follow(needsOf(route));
  document.title = model.campaign ? `campaign ${model.campaign.id} · tutti` : "tutti";
  patch(root, [
    head(route),
    notices(model),
    h("main", { id: "main", tabindex: -1, key: `${route.page} ${route.campaign ?? ""}` }, content(route)),
  ]);
}

/** "#code=…" of a link that was printed: good once, so it leaves the address first. */
async function redeem() {
  const [, code] = /^#code=(.+)$/.exec(window.location.hash) ?? [];
  if (!code) {
    return;
  }
  window.history.replaceState(null, "", "#/campaigns");
  try {
    await api.login(decodeURIComponent(code));
    source.again();
  } catch (error) {
    memory.login = { ...memory.login, error: `The link is not good any more: ${error.message}` };
  }
}

/** Another page begins at its content, also for the keyboard; another view of a campaign stays at its tab. */
function follow(before) {
  const { page, campaign } = ui.route;
  if (page !== before.page || campaign !== before.campaign) {
    requestAnimationFrame(() => document.getElementById("main").focus());
  }
}

window.addEventListener("hashchange", async () => {
  const before = ui.known;
  await redeem();
  memory.control = null;
  changed();
  follow(before);
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    source.hurry();
    changed();
  }
});

await redeem();
changed();
