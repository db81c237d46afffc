/* Files that a reader drops or chooses, on their way into a bundle. */

import { requiredModules, scriptOptions } from "./lua_options.js";

const FILES_MAX = 1000;
const BYTES_MAX = 64 * 1024 * 1024;

/** @typedef {{path: string, size: number, file: File, text: ?string}} Chosen */

/** Everything below the folders and files that were dropped. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) {
    return chosen(transfer.files);
  }
  const files = [];
  while (entries.length > 0 && files.length <= FILES_MAX) {
    const entry = entries.shift();
    if (entry.isDirectory) {
      entries.push(...(await listed(entry.createReader())));
    } else {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      files.push({ path: entry.fullPath.replace(/^\/+/, ""), size: file.size, file });
    }
  }
  return files;
}

/** A reader gives its entries piece by piece. */
async function listed(reader) {
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0 || all.length > FILES_MAX) {
      return all;
    }
    all.push(...some);
  }
}

export function chosen(files) {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, size: file.size, file }));
}

/** Adds files, replacing those of the same path; texts of Lua are read at once. */
export async function add(before, more) {
  const paths = new Set(more.map(({ path }) => path));
  for (const each of more) {
    if (each.path.endsWith(".lua")) {
      each.text = await each.file.text();
    }
  }
  return [...before.filter(({ path }) => !paths.has(path)), ...more];
}

/** The file that looks most like a script: a Lua file with scenarios, the one that is least deep. */
export function guessScript(files) {
  const lua = files.filter(({ text }) => text !== undefined && text !== null);
  const depth = ({ path }) => path.split("/").length;
  const sorted = [...lua].sort(
    (a, b) => /tutti\s*\.\s*scenario/.test(b.text) - /tutti\s*\.\s*scenario/.test(a.text) || depth(a) - depth(b),
  );
  return sorted[0]?.path ?? null;
}

/** What can be seen of a bundle before it is sent. */
export function look(files, script) {
  const problems = [];
  const warnings = [];
  const main = files.find(({ path }) => path === script);
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (!main) {
    problems.push("There is no script yet: drop a file that ends with .lua, or choose one.");
  }
  if (files.length > FILES_MAX || size > BYTES_MAX) {
    problems.push(`A bundle has at most ${FILES_MAX} files and 64 MiB.`);
  }
  const { options, unknown } = main ? scriptOptions(main.text) : { options: {}, unknown: [] };
  if (unknown.length > 0) {
    warnings.push(`The script computes these options; set them here, or they do not hold: ${unknown.join(", ")}.`);
  }
  for (const name of main ? requiredModules(main.text) : []) {
    const path = name.replaceAll(".", "/");
    if (!files.some((file) => file.path.endsWith(`${path}.lua`) || file.path.endsWith(`${path}/init.lua`))) {
      warnings.push(`The script requires “${name}”, which is not among the files.`);
    }
  }
  return { options, unknown, problems, warnings, size };
}

async function encoded(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

/** The files as the API takes them: the script first, paths relative to its folder. */
export async function bundle(files, script) {
  const folder = script.includes("/") ? script.slice(0, script.lastIndexOf("/") + 1) : "";
  const ordered = [...files].sort((a, b) => (b.path === script) - (a.path === script));
  return Promise.all(
    ordered.map(async ({ path, file }) => ({
      path: path.startsWith(folder) ? path.slice(folder.length) : path,
      content: await encoded(file),
    })),
  );
}
