/* Numbers and times for a reader, in the same words as the report in text (cli/base/format.c). */

const GROUPS = /\B(?=(\d{3})+(?!\d))/g;
const MINUS = "−";

/** 12345 as "12,345". */
export function count(number) {
  return number === null || number === undefined ? "–" : String(Math.round(number)).replace(GROUPS, ",");
}

function threeDigits(number, unit) {
  const decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
  return `${number.toFixed(decimals)} ${unit}`;
}

/** From a minute on: "1 h 2 m 3 s". */
function longDuration(milliseconds) {
  const whole = Math.floor(milliseconds / 1000);
  const parts = [
    [Math.floor(whole / 3600), "h"],
    [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"],
  ];
  return parts
    .filter(([number]) => number > 0)
    .map(([number, unit]) => `${number} ${unit}`)
    .join(" ");
}

/** A duration in milliseconds: "250 µs", "1.25 ms", "3.20 s", "1 m 5 s". */
export function ms(milliseconds) {
  if (milliseconds === null || milliseconds === undefined || Number.isNaN(milliseconds)) {
    return "–";
  }
  if (milliseconds < 0) {
    return MINUS + ms(-milliseconds);
  }
  if (milliseconds < 1) {
    return `${Math.round(milliseconds * 1000)} µs`;
  }
  if (milliseconds < 999.5) {
    return threeDigits(milliseconds, "ms");
  }
  return milliseconds < 60000 ? threeDigits(milliseconds / 1000, "s") : longDuration(milliseconds);
}

export function seconds(number) {
  return number === null || number === undefined ? "–" : ms(number * 1000);
}

/** "12.5/s" */
export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) {
    return "–";
  }
  return `${perSecond < 99.95 ? perSecond.toFixed(1) : count(perSecond)}/s`;
}

export function percent(share) {
  if (share === null || share === undefined) {
    return "–";
  }
  const value = share * 100;
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

export function bytes(number) {
  if (number === null || number === undefined) {
    return "–";
  }
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = number;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : threeDigits(value, units[unit]);
}

/** A difference between clocks: "+1.20 ms", "−3 µs". */
export function offset(milliseconds) {
  return (milliseconds <= -0.001 ? MINUS : "+") + ms(Math.abs(milliseconds));
}

/** Seconds since the start as on a clock: "0:42", "1:02:03". */
export function moment(second) {
  const whole = Math.max(0, Math.round(second));
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${parts.join(":")}` : `${Math.floor(whole / 60)}:${parts[1]}`;
}

/** The seconds of "0:42" or "1:02:03" or "42"; null if it is none of these. */
export function momentSeconds(text) {
  if (!/^(\d+:){0,2}\d+(\.\d+)?$/.test(text)) {
    return null;
  }
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** An instant of RFC 3339 in the reader's zone and language. */
export function time(text) {
  if (!text) {
    return "–";
  }
  return new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** How long ago, roughly: "12 s ago", "3 h ago". */
export function ago(text, now) {
  if (!text) {
    return "–";
  }
  const passed = Math.max(0, (now - Date.parse(text)) / 1000);
  const steps = [
    [60, 1, "s"],
    [3600, 60, "min"],
    [86400, 3600, "h"],
    [Infinity, 86400, "d"],
  ];
  const [, size, unit] = steps.find(([limit]) => passed < limit);
  return `${Math.floor(passed / size)} ${unit} ago`;
}

/** At most `length` characters, for places that have no room; the whole text belongs into a title. */
export function cut(text, length) {
  const characters = [...String(text).slice(0, length * 4)];
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : characters.join("");
}

/** "1m30s", "500ms", "10" as milliseconds; null if it is no duration. */
export function readDuration(text) {
  const units = { ms: 1, s: 1000, "": 1000, m: 60000, h: 3600000, d: 86400000 };
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d)?)+$/.test(text)) {
    return null;
  }
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)?/g)) {
    sum += Number(number) * units[unit ?? ""];
  }
  return Math.round(sum);
}
