/* Who waits for whom: all rooms at once, and the seats of one. */

import { h, widget } from "./dom.js";
import * as format from "./format.js";
import { badge, figure, figures, panel } from "./parts.js";
import { graphOf, waitPicture } from "./picture.js";
import { AGES, roomGrid } from "./room_grid.js";
import { dataTable, nameNode, number, text } from "./table.js";

const SEATS_DRAWN = 40;

/** "readers of pad, step 3" */
export function waitText({ kind, name, step, call }) {
  const words = {
    wait_for_writer: "the writer of",
    wait_for_readers: "the readers of",
    barrier: "the barrier",
    get_var: "the value of",
    wait_var: "a change of",
  };
  return `${words[kind] ?? kind} ${name}${call > 1 ? ` (${call})` : ""}${step ? `, step ${step}` : ""}`;
}

/** "3 of 4", of a barrier and of readers. */
function arrivedText({ arrived, parties }) {
  return arrived === null || arrived === undefined ? "" : `${arrived} of ${parties}`;
}

function missingText({ for: workers, for_more }) {
  return workers.map((worker) => `worker ${worker}`).join(", ") + (for_more ? " and more" : "");
}

function describe(room) {
  return (
    `room ${room.room}: ${room.step === null ? "" : `step ${room.step}, `}` +
    (room.waiting > 0
      ? `${room.waiting} of ${room.workers} workers wait, the oldest for ${format.seconds(room.oldest_wait_s)}`
      : `none of ${room.workers} workers waits`)
  );
}

function ageLegend() {
  const names = [
    "nobody waits",
    ...AGES.map((from, index) =>
      index === 0
        ? `under ${format.seconds(AGES[1])}`
        : index + 1 < AGES.length
          ? `${format.seconds(from)} to ${format.seconds(AGES[index + 1])}`
          : `over ${format.seconds(from)}`,
    ),
  ];
  return h(
    "ul",
    { class: "bar plain" },
    names.map((name, level) =>
      h(
        "li",
        { key: level },
        h(
          "svg",
          { width: 14, height: 14, "aria-hidden": "true" },
          h("rect", { width: 14, height: 14, style: { fill: "var(--age-0)" } }),
          h("rect", {
            width: 14,
            y: 14 - (14 * level) / AGES.length,
            height: (14 * level) / AGES.length,
            style: { fill: `var(--age-${level})` },
          }),
        ),
        ` ${name}`,
      ),
    ),
  );
}

function roomTable(ui, list) {
  return dataTable(ui, {
    id: "rooms",
    caption: "Rooms",
    rows: list,
    keyOf: ({ room }) => room,
    sort: "age:down",
    columns: [
      number("room", "room", ({ room }) => room, null, {
        show: ({ room }) =>
          h(
            "button",
            {
              type: "button",
              class: "row",
              "aria-expanded": String(ui.get("room") === String(room)),
              onclick: () => toggle(ui, room),
            },
            `room ${room}`,
          ),
      }),
      number("step", "step", ({ step }) => step, format.count),
      number("workers", "workers", ({ workers }) => workers, format.count),
      number("live", "that have not ended", ({ live }) => live, format.count, { isHidden: true }),
      number("waiting", "that wait", ({ waiting }) => waiting, format.count),
      number(
        "age",
        "oldest wait",
        ({ oldest_wait_s, waiting }) => (waiting > 0 ? oldest_wait_s : null),
        format.seconds,
      ),
    ],
  });
}

function toggle(ui, room) {
  ui.set("room", ui.get("room") === String(room) ? null : String(room));
}

function seatsOf(room) {
  return room.seats.map((seat) => ({
    ...seat,
    text: `worker ${seat.worker}${seat.agent ? ` on ${seat.agent}` : ""}${seat.step === null ? "" : `, step ${seat.step}`}`,
    wait: seat.wait ? { ...seat.wait, what: waitText(seat.wait) } : null,
  }));
}

function seatTable(ui, seats) {
  return dataTable(ui, {
    id: "seats",
    caption: "Seats",
    rows: seats,
    keyOf: ({ worker }) => worker,
    sort: "seat:up",
    columns: [
      number("seat", "seat", ({ seat }) => seat, String),
      number("worker", "worker", ({ worker }) => worker, String),
      text("agent", "agent", ({ agent }) => agent),
      text("state", "state", ({ state }) => state, { show: ({ state }) => badge(state) }),
      number("step", "step", ({ step }) => step, format.count),
      text("what", "waits for", ({ wait }) => wait?.what ?? ""),
      number("age", "since", ({ wait }) => wait?.age_s ?? null, format.seconds),
      number("arrived", "arrived", ({ wait }) => wait?.arrived ?? null, null, {
        show: ({ wait }) => (wait ? arrivedText(wait) : ""),
      }),
      text("missing", "who is missing", ({ wait }) => (wait ? missingText(wait) : "")),
      number("timeout", "at most", ({ wait }) => wait?.timeout_s ?? null, format.seconds, { isHidden: true }),
    ],
  });
}

/** The seats of the room that is opened. */
function opened(model, ui) {
  const { room } = model.campaign;
  if (ui.get("room") === null || !room || String(room.room) !== ui.get("room")) {
    return null;
  }
  const seats = seatsOf(room);
  const waiting = seats.filter(({ wait }) => wait);
  return h(
    "section",
    { class: "panel", key: "room", "aria-label": `Room ${room.room}` },
    h(
      "h3",
      {},
      `Room ${room.room} `,
      h("button", { type: "button", class: "quiet", onclick: () => ui.set("room", null) }, "close"),
    ),
    waiting.length > 0
      ? [
          h("p", { class: "note" }, "Left: who waits. Middle: where. Right: for whom."),
          waitPicture(
            `Room ${room.room}: ${waiting.length} workers wait; the table below has each`,
            graphOf(seats.slice(0, SEATS_DRAWN)),
          ),
        ]
      : h("p", {}, "Nobody waits."),
    seatTable(ui, seats),
  );
}

export function rooms(model, ui) {
  const { campaign } = model;
  const list = campaign.rooms?.rooms ?? [];
  const waiting = campaign.live?.waiting;
  if (list.length === 0) {
    return panel(
      "Rooms",
      h(
        "p",
        { class: "note" },
        campaign.hasEnded
          ? "The campaign has ended; no room waits any more. Waits of the whole run are with the requests."
          : "Nothing is known of rooms that synchronise yet.",
      ),
      waiting ? h("p", {}, nameNode(waiting)) : null,
    );
  }
  const stuck = list.filter((room) => room.waiting > 0);
  const oldest = stuck.reduce((most, room) => Math.max(most, room.oldest_wait_s), 0);
  return [
    figures(
      figure("rooms", format.count(campaign.rooms.total ?? list.length)),
      figure("with a wait", format.count(stuck.length)),
      figure("oldest wait", stuck.length > 0 ? format.seconds(oldest) : "–"),
    ),
    panel(
      "All rooms",
      ageLegend(),
      widget(roomGrid, { rooms: list, describe, onOpen: ({ room }) => toggle(ui, room) }, "grid"),
    ),
    opened(model, ui),
    panel("Rooms", roomTable(ui, list)),
  ];
}
