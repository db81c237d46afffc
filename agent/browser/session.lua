-- A browser that a worker drives: its session at a WebDriver, from New Session to Delete Session.
local import, native = ...
local checks = import "checks"
local errors = import "errors"
local values = import "values"
local wire = import "wire"
local tutti = require "tutti"

local DELETE_S = 5

local Session = { __name = "browser.page" }
Session.__index = Session

for _, part in ipairs { "cookies", "documents", "element", "timeouts", "waits", "windows" } do
  for name, method in pairs(import(part).page) do Session[name] = method end
end

function Session:__tostring()
  return ("page of %s %s"):format(self.browser, self.id)
end

-- For `local page <close> = browser.open()`.
function Session:__close()
  self:close()
end

-- What is raised from now on, whatever is asked of it.
local function mark_gone(self, failure)
  local why = self.driver and self.driver:why()
  if why then failure.message = failure.message .. " (" .. why .. ")" end
  self.loss = failure
end

local function check_open(self, doing)
  if self.is_closed then errors.raise { error = "invalid session id", message = doing .. ": this page is closed" } end
  if not self.loss then return end
  errors.raise { error = self.loss.error, message = self.loss.message, details = self.loss.details, gone = true }
end

-- The failure of a command, or nil and its value. `patience`: how many seconds longer than others it may take.
function Session:attempt(doing, method, path, body, patience)
  check_open(self, doing)
  local timeout = self.command_s + (patience or 0)
  local failure, value = wire.call(self.wire, doing, method, self.path .. path, body, timeout)
  if not failure then return nil, values.decode(self, value) end
  if failure.gone then mark_gone(self, failure) end
  return failure
end

-- Likewise, under the name `name` in the report; raises the failure.
function Session:command(name, doing, method, path, body, patience)
  local began = tutti.now()
  local failure, value = self:attempt(doing, method, path, body, patience)
  native.record("browser " .. name, failure == nil, began)
  if failure then errors.raise(failure) end
  return value
end

-- A command with a body, whose name is all that there is to say about it.
function Session:post(name, path, body, patience)
  return self:command(name, name, "POST", path, values.encode(body or {}), patience)
end

function Session:ask(name, path)
  return self:command(name, name, "GET", path)
end

-- page:request(method, path, [body]): any command, also those of one vendor; `path` is what follows the session.
function Session:request(method, path, body)
  if self.is_guarded then
    checks.fail("request: the agent's own browsers take no commands by hand without --allow-system")
  end
  checks.text(method, "the method")
  checks.text(path, "the path")
  local text = body ~= nil and values.encode(body) or nil
  if method == "POST" and not text then text = "{}" end
  return self:command("request", method .. " " .. path, method, path, text, self.times.page_load)
end

-- Whether it can still be asked anything, as far as is known here.
function Session:is_open()
  if self.is_closed or self.loss then return false end
  return not self.driver or self.driver:is_alive()
end

local function delete(self)
  if self.loss or (self.driver and not self.driver:is_alive()) then return nil end
  local failure = wire.call(self.wire, "close", "DELETE", self.path, nil, DELETE_S)
  return failure and not failure.gone and failure or nil
end

-- page:close(): the browser ends, and its driver where that is ours. Again: nothing happens.
function Session:close()
  if self.is_closed then return end
  self.is_closed = true
  self.on_close(self)
  local failure = delete(self)
  -- A driver of our own takes its browser with it, whatever that has answered.
  if self.driver then
    self.driver:stop()
  elseif failure then
    errors.raise(failure)
  end
end

local session = {}

local function id_of(value, answer)
  local id = type(value) == "table" and value.sessionId or answer.sessionId
  return type(id) == "string" and id ~= "" and id or nil
end

local function capabilities_of(value)
  local found = type(value) == "table" and (value.capabilities or value)
  return type(found) == "table" and found or {}
end

-- Asks the WebDriver at `address` for a session. `settings`: browser, capabilities, driver, is_guarded, start_s,
-- wait_s, command_s, base, on_close.
function session.new(address, settings)
  local began = tutti.now()
  local body = values.encode { capabilities = { alwaysMatch = settings.capabilities } }
  local doing = "open " .. settings.browser .. (settings.driver and "" or " at " .. address.url)
  local failure, value, answer = wire.call(address, doing, "POST", "/session", body, settings.start_s)
  local id = not failure and id_of(value, answer)
  if not failure and not id then
    failure = errors.of_nonsense(doing, 200, "it has no session id", "")
  end
  native.record("browser start", failure == nil, began)
  if failure then
    failure.gone = nil
    return nil, failure
  end
  local page = setmetatable({
    id = id, browser = settings.browser, capabilities = capabilities_of(value), wire = address,
    path = "/session/" .. values.escape(id), driver = settings.driver, is_guarded = settings.is_guarded,
    command_s = settings.command_s, wait_s = settings.wait_s, base = settings.base,
    on_close = settings.on_close, is_closed = false,
  }, Session)
  page:read_timeouts(page.capabilities.timeouts)
  return page
end

return session
