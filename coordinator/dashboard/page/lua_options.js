/*
 * The options that a script sets itself, `tutti.options { workers = 5, target = "builtin" }`, as far as they are
 * written out: numbers, strings, true and false, and lists of these. What a script computes is not known here.
 */

const TOKEN =
  /--\[\[[^]*?\]\]|--[^\n]*|\s+|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\[\[[^]*?\]\]|0[xX][\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|\.\.|[^]/g;

function tokensOf(text) {
  return (text.match(TOKEN) ?? []).filter((token) => !/^\s/.test(token) && !token.startsWith("--"));
}

const ESCAPES = { n: "\n", t: "\t", "\\": "\\", '"': '"', "'": "'" };

function isString(token) {
  return token !== undefined && /^(["']|\[\[)/.test(token);
}

function stringOf(token) {
  return token.startsWith("[[")
    ? token.slice(2, -2).replace(/^\n/, "")
    : token.slice(1, -1).replace(/\\(.)/g, (whole, letter) => ESCAPES[letter] ?? whole);
}

/** Reads one value at `at`; {value, next}, with value undefined if it is not written out. */
function valueAt(tokens, at) {
  const token = tokens[at];
  if (isString(token)) {
    return { value: stringOf(token), next: at + 1 };
  }
  if (/^\d/.test(token ?? "")) {
    return { value: Number(token), next: at + 1 };
  }
  if (token === "true" || token === "false") {
    return { value: token === "true", next: at + 1 };
  }
  return token === "{" ? listAt(tokens, at + 1) : { value: undefined, next: at };
}

/** A list of strings or numbers; anything else is skipped to its closing brace. */
function listAt(tokens, at) {
  const values = [];
  let depth = 1;
  let isPlain = true;
  let next = at;
  while (next < tokens.length && depth > 0) {
    const token = tokens[next];
    depth += token === "{" ? 1 : token === "}" ? -1 : 0;
    if (depth === 1 && (isString(token) || /^\d/.test(token))) {
      values.push(isString(token) ? stringOf(token) : Number(token));
    } else if (depth > 1 || (token !== "," && token !== ";" && token !== "}")) {
      isPlain = false;
    }
    next += 1;
  }
  return { value: isPlain ? values : undefined, next };
}

const SEPARATORS = new Set([",", ";", "}", undefined]);

function fieldsAt(tokens, start) {
  const options = {};
  const unknown = [];
  let at = start;
  while (at < tokens.length && tokens[at] !== "}") {
    const name = tokens[at];
    if (tokens[at + 1] !== "=" || !/^[A-Za-z_]/.test(name)) {
      at += 1;
      continue;
    }
    const { value, next } = valueAt(tokens, at + 2);
    if (value !== undefined && SEPARATORS.has(tokens[next])) {
      options[name] = value;
    } else {
      unknown.push(name);
    }
    at = next;
    for (let depth = 0; at < tokens.length && (depth > 0 || !SEPARATORS.has(tokens[at])); at += 1) {
      depth += "{(".includes(tokens[at]) ? 1 : "})".includes(tokens[at]) ? -1 : 0;
    }
  }
  return { options, unknown };
}

/**
 * @param {string} script
 * @returns {{options: object, unknown: string[]}} by the names that Lua has for them; `unknown` are computed
 */
export function scriptOptions(script) {
  const tokens = tokensOf(script);
  const found = { options: {}, unknown: [] };
  for (let at = 0; at + 3 < tokens.length; at += 1) {
    if (tokens[at] === "tutti" && tokens[at + 1] === "." && tokens[at + 2] === "options") {
      const open = tokens[at + 3] === "(" ? at + 4 : at + 3;
      if (tokens[open] === "{") {
        const { options, unknown } = fieldsAt(tokens, open + 1);
        Object.assign(found.options, options);
        found.unknown.push(...unknown);
      }
    }
  }
  return found;
}

/** Names of modules that a script requires, but for those that every agent has. */
export function requiredModules(script) {
  const tokens = tokensOf(script);
  const names = tokens.flatMap((token, at) => {
    const next = tokens[at + 1] === "(" ? tokens[at + 2] : tokens[at + 1];
    return token === "require" && isString(next) ? [stringOf(next)] : [];
  });
  const standard = new Set(["string", "table", "math", "utf8", "coroutine", "os", "io", "debug"]);
  return [...new Set(names)].filter((name) => name !== "tutti" && !name.startsWith("tutti.") && !standard.has(name));
}
