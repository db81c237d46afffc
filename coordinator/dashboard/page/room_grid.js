/* A cell for each room, thousands of them, as one canvas: its colour and its bar say how old the oldest wait is. */

import { colour, onColours } from "./palette.js";

const CELL = 18;
const GAP = 2;
const SIZE = CELL - GAP;
/** From these ages on, in seconds. Each has a colour and a height of its bar, so that neither is needed alone. */
export const AGES = [0, 0.1, 1, 5, 20];

export function levelOf(room) {
  if (!room.waiting) {
    return 0;
  }
  let level = 1;
  for (let index = 1; index < AGES.length; index += 1) {
    level = room.oldest_wait_s >= AGES[index] ? index + 1 : level;
  }
  return level;
}

function layout(grid) {
  grid.columns = Math.max(1, Math.floor(grid.width / CELL));
  grid.lines = Math.max(1, Math.ceil(grid.data.rooms.length / grid.columns));
}

function draw(grid) {
  if (grid.width === 0) {
    return;
  }
  layout(grid);
  const { canvas, columns, lines } = grid;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [columns * CELL, lines * CELL];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const colours = Array.from({ length: AGES.length + 1 }, (_, level) => colour(`--age-${level}`));
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  cells(grid, context, colours);
  mark(grid, context, colour("--text"));
}

/** All cells of a level in one path: changing the colour for each would take most of the time. */
function cells({ columns, data }, context, colours) {
  const paths = colours.map(() => new Path2D());
  data.rooms.forEach((room, index) => {
    const level = levelOf(room);
    const x = (index % columns) * CELL;
    const y = Math.floor(index / columns) * CELL;
    const tall = Math.round((SIZE * level) / AGES.length);
    paths[0].rect(x, y, SIZE, SIZE - tall);
    paths[level].rect(x, y + SIZE - tall, SIZE, tall);
  });
  paths.forEach((path, level) => {
    context.fillStyle = colours[level];
    context.fill(path);
  });
}

/** The cell that the keyboard is at. */
function mark({ columns, at, data }, context, edge) {
  if (at < data.rooms.length) {
    context.strokeStyle = edge;
    context.lineWidth = 2;
    context.strokeRect((at % columns) * CELL, Math.floor(at / columns) * CELL, SIZE, SIZE);
  }
}

function say(grid) {
  const room = grid.data.rooms[grid.at];
  grid.readout.textContent = room ? grid.data.describe(room) : "";
}

function move(grid, to) {
  grid.at = Math.min(Math.max(0, to), grid.data.rooms.length - 1);
  draw(grid);
  say(grid);
}

function open(grid) {
  const room = grid.data.rooms[grid.at];
  if (room) {
    grid.data.onOpen(room);
  }
}

function key(grid, event) {
  const moves = {
    ArrowLeft: () => move(grid, grid.at - 1),
    ArrowRight: () => move(grid, grid.at + 1),
    ArrowUp: () => move(grid, grid.at - grid.columns),
    ArrowDown: () => move(grid, grid.at + grid.columns),
    Home: () => move(grid, 0),
    End: () => move(grid, Infinity),
    Enter: () => open(grid),
    " ": () => open(grid),
  };
  if (moves[event.key]) {
    event.preventDefault();
    moves[event.key]();
  }
}

function cellAt(grid, event) {
  const box = grid.canvas.getBoundingClientRect();
  const column = Math.floor((event.clientX - box.left) / CELL);
  return column < grid.columns ? Math.floor((event.clientY - box.top) / CELL) * grid.columns + column : -1;
}

const grids = new Set();
onColours(() => grids.forEach(draw));

/** Data: {rooms, describe(room): string, onOpen(room)}. */
export const roomGrid = {
  create(data) {
    const element = document.createElement("div");
    const canvas = document.createElement("canvas");
    const readout = document.createElement("p");
    element.className = "room-grid";
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute(
      "aria-label",
      "Rooms by the age of their oldest wait. Arrows move, Enter opens; the table below has the same.",
    );
    readout.className = "readout";
    readout.setAttribute("aria-live", "polite");
    element.append(canvas, readout);
    const grid = { element, canvas, readout, data, at: 0, width: 0, columns: 1, lines: 1 };
    element.grid = grid;
    canvas.addEventListener("keydown", (event) => key(grid, event));
    canvas.addEventListener("click", (event) => {
      move(grid, cellAt(grid, event));
      open(grid);
    });
    canvas.addEventListener("mousemove", (event) => {
      const room = grid.data.rooms[cellAt(grid, event)];
      canvas.title = room ? grid.data.describe(room) : "";
    });
    /* In the next picture: what is drawn changes the height, which must not happen while sizes are being told. */
    grid.observer = new ResizeObserver(([{ contentRect }]) =>
      requestAnimationFrame(() => {
        grid.width = contentRect.width;
        draw(grid);
      }),
    );
    grid.observer.observe(element);
    grids.add(grid);
    return element;
  },
  update(element, data) {
    const { grid } = element;
    if (grid.data.rooms !== data.rooms) {
      grid.data = data;
      draw(grid);
    } else {
      grid.data = data;
    }
  },
  destroy(element) {
    element.grid.observer.disconnect();
    grids.delete(element.grid);
  },
};
