/* Starts a campaign: a script with its files, its options, a look at both, then the start. */

import * as files from "./bundle.js";
import { h } from "./dom.js";
import * as format from "./format.js";
import { panel } from "./parts.js";
import { FIELDS, request } from "./start_options.js";
import { nameNode } from "./table.js";

export function newForm() {
  return {
    files: [],
    script: null,
    values: {},
    thresholds: "",
    env: "",
    more: "",
    agents: "1",
    isChecked: false,
    isBusy: false,
    error: null,
    over: false,
  };
}

function drop(form, act) {
  return h(
    "div",
    {
      class: `drop ${form.over ? "over" : ""}`,
      ondragover: (event) => act.over(event, true),
      ondragleave: (event) => act.over(event, false),
      ondrop: (event) => act.drop(event),
    },
    h(
      "label",
      {},
      "Drop a script with its files here, or choose them: ",
      h("input", { type: "file", id: "files", multiple: true, onchange: (event) => act.choose(event.target.files) }),
    ),
  );
}

function fileList(form, act) {
  return form.files.length === 0
    ? null
    : h(
        "fieldset",
        {},
        h("legend", {}, "Files; the marked one is the script"),
        h(
          "ul",
          { class: "plain" },
          form.files.map(({ path, size, text }) =>
            h(
              "li",
              { key: path },
              h(
                "label",
                {},
                h("input", {
                  type: "radio",
                  name: "script",
                  checked: path === form.script,
                  disabled: text === undefined,
                  onchange: () => act.set({ script: path }),
                }),
                " ",
                nameNode(path),
              ),
              ` ${format.bytes(size)} `,
              h(
                "button",
                {
                  type: "button",
                  class: "quiet",
                  "aria-label": `Leave out ${format.cut(path, 80)}`,
                  onclick: () => act.remove(path),
                },
                "leave out",
              ),
            ),
          ),
        ),
      );
}

function field(form, { key, title, kind, hint }, fromScript, act) {
  const own = fromScript[key];
  return h(
    "label",
    { key, class: "field" },
    h("span", {}, title),
    h("input", {
      type: "text",
      name: key,
      inputmode: kind === "number" ? "numeric" : null,
      value: form.values[key] ?? "",
      placeholder: own === undefined ? hint : `${[own].flat().join(",")} (of the script)`,
      oninput: (event) => act.value(key, event.target.value),
    }),
  );
}

function area(form, key, title, hint, act) {
  return h(
    "label",
    { key, class: "field" },
    h("span", {}, title),
    h("textarea", {
      name: key,
      rows: 3,
      value: form[key],
      placeholder: hint,
      spellcheck: "false",
      oninput: (event) => act.set({ [key]: event.target.value }),
    }),
  );
}

function fields(form, fromScript, act) {
  return h(
    "div",
    { class: "fields" },
    FIELDS.map((each) => field(form, each, fromScript, act)),
    h(
      "label",
      { key: "agents", class: "field" },
      h("span", {}, "Begin with this many agents"),
      h("input", {
        type: "text",
        name: "agents",
        inputmode: "numeric",
        value: form.agents,
        oninput: (event) => act.set({ agents: event.target.value }),
      }),
    ),
    area(form, "thresholds", "Thresholds, one a line", "http.p95 < 200ms", act),
    area(form, "env", "Parameters of the script (tutti.env), NAME=VALUE a line", "SHOP=blue", act),
    area(form, "more", "More options, NAME=VALUE a line", "on-loss=replace", act),
  );
}

/** What would be started: shown before anything is. */
function dryLook(form, seen, wanted) {
  const problems = [...seen.problems, ...wanted.problems];
  return panel(
    "What will be started",
    problems.length > 0
      ? h(
          "ul",
          { class: "error", role: "alert" },
          problems.map((text) => h("li", { key: text }, text)),
        )
      : h("p", { role: "status" }, "Nothing is missing."),
    seen.warnings.length > 0
      ? h(
          "ul",
          { class: "warning" },
          seen.warnings.map((text) => h("li", { key: text }, text)),
        )
      : null,
    h(
      "p",
      {},
      nameNode(form.script ?? "no script"),
      ` with ${form.files.length} files of ${format.bytes(seen.size)}, as soon as ${wanted.expect_agents} agents have joined`,
    ),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "option"), h("th", { scope: "col" }, "value"))),
      h(
        "tbody",
        {},
        Object.entries(wanted.options).map(([name, value]) =>
          h("tr", { key: name }, h("th", { scope: "row" }, name), h("td", {}, nameNode(value))),
        ),
      ),
    ),
  );
}

export function start(form, act) {
  const seen = files.look(form.files, form.script);
  const wanted = request(form, seen.options);
  const isGood = seen.problems.length === 0 && wanted.problems.length === 0;
  return h(
    "form",
    {
      class: "start",
      "aria-label": "Start a campaign",
      onsubmit: (event) => {
        event.preventDefault();
        act.submit(isGood, wanted);
      },
    },
    panel("Script", drop(form, act), fileList(form, act)),
    panel("Options", fields(form, seen.options, act)),
    form.isChecked ? dryLook(form, seen, wanted) : null,
    form.error ? h("p", { class: "error", role: "alert" }, form.error) : null,
    h(
      "p",
      {},
      h("button", { type: "button", id: "check", onclick: () => act.set({ isChecked: true }) }, "Check"),
      " ",
      h(
        "button",
        { type: "submit", class: "main", id: "start", disabled: !form.isChecked || !isGood },
        form.isBusy ? "Starting…" : "Start",
      ),
    ),
  );
}

/** crypto.randomUUID is only there on pages that came over TLS or from this host. */
function drawn() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function startActions({ memory, api, go, changed, fail }) {
  memory.form ??= newForm();
  /* What is changed has to be looked at once more. */
  const set = (more) => {
    memory.form = { ...memory.form, isChecked: false, error: null, creationKey: null, ...more };
    changed();
  };
  const add = async (more) => {
    const all = await files.add(memory.form.files, more);
    const { script } = memory.form;
    set({ files: all, over: false, script: all.some(({ path }) => path === script) ? script : files.guessScript(all) });
  };
  return {
    set,
    value: (key, value) => set({ values: { ...memory.form.values, [key]: value } }),
    choose: (list) => add(files.chosen(list)),
    remove: (path) => {
      const left = memory.form.files.filter((file) => file.path !== path);
      set({ files: left, script: memory.form.script === path ? files.guessScript(left) : memory.form.script });
    },
    over(event, over) {
      event.preventDefault();
      if (memory.form.over !== over) {
        set({ over, isChecked: memory.form.isChecked });
      }
    },
    async drop(event) {
      event.preventDefault();
      await add(await files.dropped(event.dataTransfer));
    },
    async submit(isGood, wanted) {
      const { form } = memory;
      if (form.isBusy) {
        return;
      }
      if (!form.isChecked || !isGood) {
        set({ isChecked: true });
        return;
      }
      /* The same key if the same is asked twice: a campaign begins once. */
      const creationKey = form.creationKey ?? drawn();
      set({ isChecked: true, isBusy: true, creationKey });
      try {
        const { options, env, expect_agents } = wanted;
        const { campaign } = await api.post("/v1/campaigns", {
          script: form.script,
          files: await files.bundle(form.files, form.script),
          options,
          env,
          expect_agents,
          creation_key: creationKey,
        });
        memory.form = newForm();
        go(`/campaigns/${campaign}/overview`);
      } catch (error) {
        fail(error);
        set({ isChecked: true, isBusy: false, error: error.message, creationKey });
      }
    },
  };
}
