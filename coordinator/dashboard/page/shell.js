/* What is around every view: the head, the tabs of a campaign, and what there is to say about the connection. */

import { h } from "./dom.js";
import * as format from "./format.js";
import { badge, labels, link, summaryOf } from "./parts.js";
import { nameNode } from "./table.js";
import { outcomeOf } from "./model.js";
import { TABS } from "./routes.js";

export function head(route) {
  const item = (page, to, name) =>
    h("li", { key: page }, h("a", { href: `#${to}`, "aria-current": route.page === page ? "page" : null }, name));
  return h(
    "header",
    { class: "head" },
    h(
      "a",
      {
        class: "skip",
        href: "#main",
        onclick: (event) => {
          event.preventDefault();
          document.getElementById("main").focus();
        },
      },
      "Skip to the content",
    ),
    h("h1", { class: "brand" }, link("/campaigns", "tutti")),
    h(
      "nav",
      { "aria-label": "Pages" },
      h(
        "ul",
        {},
        item("campaigns", "/campaigns", "Campaigns"),
        item("agents", "/agents", "Agents"),
        item("start", "/start", "Start"),
      ),
    ),
  );
}

/** That the coordinator is away, and since when; that it refused something. */
export function notices(model) {
  const { away, problem } = model;
  return h(
    "div",
    { class: "notices", role: "status" },
    away
      ? h(
          "p",
          { class: "away" },
          `${away.reason[0].toUpperCase()}${away.reason.slice(1)}, for ${format.seconds(Math.max(0, Math.round((model.now - away.since) / 1000)))}. `,
          "What is shown is from before. It is asked again each second.",
        )
      : null,
    problem ? h("p", { class: "error" }, problem) : null,
  );
}

export function login(state, act) {
  return h(
    "form",
    {
      class: "login panel",
      "aria-label": "Log in",
      onsubmit: (event) => {
        event.preventDefault();
        act.login();
      },
    },
    h("h2", {}, "Log in"),
    h(
      "p",
      {},
      "This coordinator wants a token. ",
      h("code", {}, "tutti dashboard"),
      " prints a link that logs in by itself.",
    ),
    h(
      "label",
      {},
      "Token ",
      h("input", {
        type: "password",
        name: "token",
        autocomplete: "off",
        value: state.token,
        required: true,
        focus: true,
        oninput: (event) => act.token(event.target.value),
      }),
    ),
    state.error ? h("p", { class: "error", role: "alert" }, state.error) : null,
    h("p", {}, h("button", { type: "submit", class: "main", "aria-disabled": state.isBusy ? "true" : null }, "Log in")),
  );
}

/** Name, state and verdict. */
export function title(campaign) {
  const summary = summaryOf(campaign);
  if (!summary.script) {
    return h("h2", {}, `Campaign ${campaign.id}`);
  }
  const lasted = summary.elapsed_s ?? summary.duration_s;
  return h(
    "div",
    { class: "title" },
    h("h2", {}, `Campaign ${campaign.id}: `, nameNode(summary.name || summary.script.split("/").pop())),
    h(
      "p",
      {},
      h(
        "span",
        { "aria-live": "polite" },
        badge(campaign.hasEnded ? outcomeOf(summary) : summary.state),
        summary.reason ? [" ", nameNode(summary.reason)] : null,
      ),
      " ",
      nameNode(summary.script),
      summary.started_at ? `, began ${format.time(summary.started_at)}` : ", has not begun",
      `, ${format.seconds(lasted)} `,
      labels(summary.labels),
    ),
  );
}

export function tabs(campaign, current) {
  return h(
    "nav",
    { class: "tabs", "aria-label": "Views of the campaign" },
    h(
      "ul",
      {},
      TABS.map(({ name, title: text }) =>
        h(
          "li",
          { key: name },
          h(
            "a",
            { href: `#/campaigns/${campaign.id}/${name}`, "aria-current": name === current.name ? "page" : null },
            text,
          ),
        ),
      ),
    ),
  );
}

/** Circles of waits, as the coordinator describes them. */
export function deadlocks(campaign) {
  return campaign.deadlocks.length === 0
    ? null
    : h(
        "section",
        { class: "panel bad", role: "alert", "aria-label": "Deadlock" },
        h("h3", {}, "Deadlock"),
        campaign.deadlocks.map((text) => h("p", { key: text }, nameNode(text))),
      );
}
