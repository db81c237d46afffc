// The campaigns of this coordinator as a table.
const KEY = "tutti.token";
const COLUMNS = ["campaign", "script", "name", "state", "verdict", "workers", "agents"];
const main = document.getElementById("main");

function element(name, text, ...children) {
  const node = document.createElement(name);
  if (text !== null) {
    node.textContent = text;
  }
  node.append(...children);
  return node;
}

async function ask(path) {
  const token = sessionStorage.getItem(KEY);
  const response = await fetch(path, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
  if (response.status === 401) {
    sessionStorage.removeItem(KEY);
  }
  return response;
}

/** Turns the code of a one-time link into the token, and takes it out of the address. */
async function logIn() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code === null) {
    return;
  }
  history.replaceState(null, "", location.pathname);
  const response = await fetch("/v1/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  if (response.ok) {
    sessionStorage.setItem(KEY, (await response.json()).token);
  }
}

function showLogin() {
  const field = element("input", null);
  const form = element("form", null, element("label", "Token ", field), element("button", "Log in"));
  field.type = "password";
  field.autocomplete = "off";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, field.value);
    show();
  });
  main.replaceChildren(form);
}

async function show() {
  const response = await ask("/v1/campaigns");
  if (response.status === 401) {
    showLogin();
    return;
  }
  const { campaigns } = await response.json();
  const head = element("tr", null, ...COLUMNS.map((column) => element("th", column)));
  const rows = campaigns.map((row) => element("tr", null, ...COLUMNS.map((column) => element("td", row[column] ?? ""))));
  main.replaceChildren(element("table", null, element("thead", null, head), element("tbody", null, ...rows)));
  setTimeout(show, 2000);
}

await logIn();
await show();
