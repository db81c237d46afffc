/* Asks the coordinator. The token is kept by the tab and goes into a header only, never into an address. */

const TOKEN_KEY = "tutti.token";
/** A coordinator that says nothing for so long counts as away; a bundle may take as long as it is large. */
const PATIENCE_MS = 20000;
const UPLOAD_MS = 300000;

/** What the coordinator refused (`status` of HTTP) to who had `token`, or that it did not answer (status 0). */
export class ApiError extends Error {
  constructor(status, message, token = null) {
    super(message);
    Object.assign(this, { status, token });
  }
}

async function messageOf(response) {
  try {
    return (await response.json()).error ?? response.statusText;
  } catch {
    return `the coordinator answered ${response.status}`;
  }
}

/** Whether the page itself has ended a request, rather than its time. */
function isGivenUp(signal) {
  return signal?.aborted && signal.reason?.name !== "TimeoutError";
}

export class Api {
  constructor(storage = window.sessionStorage) {
    this.storage = storage;
  }

  get token() {
    return this.storage.getItem(TOKEN_KEY);
  }

  set token(text) {
    if (text) {
      this.storage.setItem(TOKEN_KEY, text);
    } else {
      this.storage.removeItem(TOKEN_KEY);
    }
  }

  async fetch(method, path, body, signal) {
    const headers = {};
    const { token } = this;
    if (token) {
      headers.Authorization = `Bearer ${token}`;
    }
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
    }
    let response;
    try {
      response = await fetch(path, {
        method,
        headers,
        signal,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
      });
    } catch (error) {
      throw isGivenUp(signal) ? error : new ApiError(0, "the coordinator does not answer");
    }
    if (!response.ok) {
      throw new ApiError(response.status, await messageOf(response), token);
    }
    return response;
  }

  async get(path) {
    return this.object(await this.fetch("GET", path, undefined, AbortSignal.timeout(PATIENCE_MS)));
  }

  /** A text; of anything else a data: URL, which is what the page may show. */
  async file(path) {
    const response = await this.fetch("GET", path, undefined, AbortSignal.timeout(PATIENCE_MS));
    const blob = await response.blob();
    if (blob.type.startsWith("text/")) {
      return blob.text();
    }
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(new ApiError(0, "the answer of the coordinator broke off"));
      reader.readAsDataURL(blob);
    });
  }

  async post(path, body) {
    return this.object(await this.fetch("POST", path, body, AbortSignal.timeout(UPLOAD_MS)));
  }

  /** A connection may break off within a body. */
  async object(response) {
    try {
      return await response.json();
    } catch {
      throw new ApiError(0, "the answer of the coordinator broke off");
    }
  }

  /** Turns a one-time code into a token. */
  async login(code) {
    this.token = (await this.post("/v1/login", { code })).token;
  }

  /** Calls `on(event, data)` for each event, until the stream ends; throws if it breaks off. */
  async events(path, on, signal) {
    const response = await this.fetch("GET", path, undefined, signal);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      let part;
      try {
        part = await reader.read();
      } catch (error) {
        throw isGivenUp(signal) ? error : new ApiError(0, "the connection to the coordinator broke off");
      }
      if (part.done) {
        return;
      }
      const blocks = (rest + part.value).split("\n\n");
      rest = blocks.pop();
      blocks.forEach((block) => event(block, on));
    }
  }
}

/** "event: NAME\nid: N\ndata: JSON" */
function event(block, on) {
  const fields = {};
  for (const line of block.split("\n")) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name) {
      fields[name] = name in fields ? `${fields[name]}\n${value}` : value;
    }
  }
  if (fields.data !== undefined) {
    on(fields.event ?? "message", JSON.parse(fields.data), fields.id);
  }
}
