-- A browser that a worker drives: its session at a WebDriver, from New Session to Delete Session.
local import, native = ...
local checks = import "checks"
local errors = import "errors"
local pages = import "pages"
local timeouts = import "timeouts"
local tutti = import "tutti"
local values = import "values"
local wire = import "wire"

local DELETE_S = 5

local Page = pages.methods

for _, part in ipairs { "cookies", "documents", "element", "timeouts", "waits", "windows" } do
  for name, method in next, import(part).page do Page[name] = method end
end

function pages.metatable.__tostring(self)
  local session = pages.of(self)
  return string.format("page of %s %s", session.browser, session.id)
end

-- page:request(method, path, [body]): any command, including those of one vendor; `path` is relative to the session.
function Page:request(method, path, body)
  local session = pages.of(self)
  if session.is_guarded then
    checks.fail("request: the agent's own browsers take no raw commands without --allow-system")
  end
  checks.text(method, "the method")
  checks.text(path, "the path")
  local text = body ~= nil and values.encode(body) or nil
  if method == "POST" and not text then text = "{}" end
  return pages.command(session, "request", method .. " " .. path, method, path, text, session.times.page_load)
end

function Page:is_open()
  return pages.is_open(pages.of(self))
end

local function delete(session)
  if session.loss or (session.driver and not session.driver:is_alive()) then return nil end
  local failure = wire.call(session.wire, "close", "DELETE", session.path, nil, DELETE_S)
  return failure and not failure.gone and failure or nil
end

local function close(session)
  if session.is_closed then return end
  session.is_closed = true
  session.on_close(session)
  local failure = delete(session)
  -- A driver of our own ends together with its browser, whatever the answer was.
  if session.driver then
    session.driver:stop()
  elseif failure then
    errors.raise(failure)
  end
end

-- page:close(): the browser ends, and its driver if that is ours. Idempotent.
function Page:close()
  close(pages.of(self))
end

-- For `local page <close> = browser.open()`.
function pages.metatable.__close(self)
  close(pages.of(self))
end

local session = { close = close }

local function id_of(value, answer)
  local id = type(value) == "table" and value.sessionId or answer.sessionId
  return type(id) == "string" and id ~= "" and id or nil
end

local function capabilities_of(value)
  local found = type(value) == "table" and (value.capabilities or value)
  return type(found) == "table" and found or {}
end

-- Requests a session from the WebDriver at `address`: returns the inside of a page, or nil and the failure. `settings`: browser,
-- tags, capabilities, driver, is_guarded, start_s, wait_s, command_s, base, on_close.
function session.new(address, settings)
  local began = tutti.now()
  local body = values.encode { capabilities = { alwaysMatch = settings.capabilities } }
  local doing = "open " .. settings.browser .. (settings.driver and "" or " at " .. address.url)
  local failure, value, answer = wire.call(address, doing, "POST", "/session", body, settings.start_s)
  local id = not failure and id_of(value, answer)
  if not failure and not id then
    failure = errors.of_nonsense(doing, 200, "it has no session id", "")
  end
  native.record("browser start", failure == nil, began, settings.tags)
  if failure then
    failure.gone = nil
    return nil, failure
  end
  local capabilities = capabilities_of(value)
  return {
    id = id, browser = settings.browser, capabilities = capabilities, wire = address,
    path = "/session/" .. values.escape(id), driver = settings.driver, is_guarded = settings.is_guarded,
    tags = settings.tags, command_s = settings.command_s, wait_s = settings.wait_s, base = settings.base,
    on_close = settings.on_close, is_closed = false, times = timeouts.from_wire(capabilities.timeouts),
  }
end

-- The capabilities of a guarded browser that a script may see: nothing that gives access to it (debuggerAddress,
-- webSocketUrl), and no paths.
local shown = checks.set("browserName", "browserVersion", "platformName", "userAgent", "acceptInsecureCerts",
  "pageLoadStrategy", "proxy", "setWindowRect", "strictFileInteractability", "timeouts", "unhandledPromptBehavior")

local function shown_capabilities(opened)
  if not opened.is_guarded then return opened.capabilities end
  local found = {}
  for name in next, shown do found[name] = opened.capabilities[name] end
  return found
end

-- The capabilities that a script sees.
function session.page_of(opened)
  return pages.new(opened, { id = opened.id, browser = opened.browser, capabilities = shown_capabilities(opened) })
end

return session
