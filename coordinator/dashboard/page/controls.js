/* What an operator can do to a campaign that runs. Each asks once, in place, and says what it did. */

import { h } from "./dom.js";
import * as format from "./format.js";

/**
 * @typedef {{kind: string, title: string, question: string, field: ?object, bodyOf: function(string): ?object,
 *            done: function(string): string}} Control `bodyOf` gives null where what was typed cannot be meant
 */

const nothing = () => ({});

/** @type {Control[]} */
export const CONTROLS = [
  {
    kind: "scale",
    title: "Scale…",
    question: "How many workers shall it have?",
    confirm: "Scale",
    field: { label: "Workers", type: "number", min: 1, max: 1000000, initial: (live) => String(live.workers) },
    bodyOf: (value) => (/^\d+$/.test(value) && Number(value) >= 1 ? { workers: Number(value) } : null),
    done: (value) => `asked for ${format.count(Number(value))} workers`,
  },
  {
    kind: "rate",
    title: "Rate…",
    question: "At which rate shall steps begin?",
    confirm: "Change the rate",
    field: { label: "Rate, as in 50/s, 30/m or 2/h", type: "text", initial: () => "" },
    bodyOf: (value) => (/^\d+(\.\d+)?\/[smh]$/.test(value.trim()) ? { rate: value.trim() } : null),
    done: (value) => `asked for steps at ${value.trim()}`,
  },
  {
    kind: "pause",
    title: "Pause…",
    question: "Keep all workers from their next steps?",
    confirm: "Pause",
    bodyOf: nothing,
    done: () => "asked it to pause",
  },
  {
    kind: "resume",
    title: "Resume…",
    question: "Let it go on?",
    confirm: "Resume",
    bodyOf: nothing,
    done: () => "asked it to go on",
  },
  {
    kind: "stop",
    title: "Stop…",
    question: "Stop the campaign? Steps end, teardown runs, the report is kept.",
    confirm: "Stop it",
    isGrave: true,
    bodyOf: () => ({ reason: "stopped on the dashboard" }),
    done: () => "asked it to stop",
  },
  {
    kind: "stop",
    id: "kill",
    title: "Stop at once…",
    question: "Stop at once, without waiting for steps and teardown?",
    confirm: "Stop at once",
    isGrave: true,
    bodyOf: () => ({ at_once: true, reason: "stopped at once on the dashboard" }),
    done: () => "asked it to stop at once",
  },
];

const idOf = ({ id, kind }) => id ?? kind;

function asking(control, state, live, act) {
  const { field } = control;
  const value = state.value ?? field?.initial(live) ?? "";
  const error = state.error ?? null;
  const confirm = (event) => {
    event.preventDefault();
    act.confirm(control);
  };
  return h(
    "form",
    {
      class: "ask",
      key: `ask-${idOf(control)}`,
      "aria-label": control.title.replace("…", ""),
      onsubmit: confirm,
      onkeydown: (event) => event.key === "Escape" && act.cancel(),
    },
    h("p", { id: "question" }, control.question),
    field
      ? h(
          "label",
          {},
          field.label,
          " ",
          h("input", {
            type: field.type,
            min: field.min,
            max: field.max,
            value,
            required: true,
            focus: true,
            "aria-invalid": error ? "true" : null,
            "aria-describedby": error ? "ask-error" : null,
            oninput: (event) => act.type(event.target.value),
          }),
        )
      : null,
    error ? h("p", { id: "ask-error", class: "error", role: "alert" }, error) : null,
    h(
      "p",
      {},
      h(
        "button",
        {
          type: "submit",
          class: control.isGrave ? "grave" : "main",
          "aria-disabled": state.isBusy ? "true" : null,
          focus: !field,
        },
        state.isBusy ? "Asking…" : control.confirm,
      ),
      " ",
      h("button", { type: "button", onclick: () => act.cancel() }, "Cancel"),
    ),
  );
}

/** Which of them there is something to ask for. */
function possible({ kind }, state) {
  return kind === "stop" ? state !== "ended" : state === "running";
}

/**
 * @param {?{asked: string, value: string, error: string, isBusy: boolean}} state
 * @param {{open, cancel, type, confirm}} act
 */
export function controls(campaign, state, act) {
  const { live } = campaign;
  if (!live || campaign.hasEnded) {
    return null;
  }
  const list = CONTROLS.filter((control) => possible(control, live.state));
  const asked = list.find((control) => idOf(control) === state?.asked);
  return h(
    "section",
    { class: "controls", "aria-label": "Controls" },
    h(
      "div",
      { class: "bar" },
      list.map((control) =>
        h(
          "button",
          {
            type: "button",
            key: idOf(control),
            id: `control-${idOf(control)}`,
            "aria-expanded": String(asked === control),
            class: control.isGrave ? "grave" : null,
            onclick: () => act.open(idOf(control)),
          },
          control.title,
        ),
      ),
    ),
    asked ? asking(asked, state, live, act) : null,
  );
}

/** Carries them out: keeps what is asked in `memory`, and tells the model what was done. */
export function controlActions({ memory, source, api, say, changed }) {
  const set = (state) => {
    memory.control = state;
    changed();
  };
  /** The focus goes back to where it was asked from, once the question has gone. */
  const close = () => {
    const button = document.getElementById(`control-${memory.control?.asked}`);
    set(null);
    button?.focus();
  };
  return {
    open: (asked) => set(memory.control?.asked === asked ? null : { asked }),
    cancel: close,
    type: (value) => set({ ...memory.control, value, error: null }),
    async confirm(control) {
      /* The button is not disabled meanwhile, which would take the focus away from it. */
      if (memory.control.isBusy) {
        return;
      }
      /* What was typed last, which may not have been drawn yet. */
      const value = memory.control.value ?? control.field?.initial(source.model.campaign.live) ?? "";
      const body = control.bodyOf(value);
      if (body === null) {
        set({ ...memory.control, error: `${control.field.label}: this cannot be meant` });
        return;
      }
      const { id } = source.model.campaign;
      set({ ...memory.control, value, isBusy: true });
      try {
        await api.post(`/v1/campaigns/${id}/${control.kind}`, body);
        say(`${control.done(value)}: accepted`, "good");
        close();
      } catch (error) {
        source.refused(error);
        set({ ...memory.control, isBusy: false, error: error.message });
      }
      source.refresh();
    },
  };
}
