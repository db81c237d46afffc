-- A page: the session of a browser at a WebDriver, and the path of every command to it. The inside of a
-- page: wire (the address), path (what every path begins with), id, browser, driver (nil for a remote one), is_guarded,
-- tags (of what is measured with it; nil where a campaign has one kind of browser), command_s, wait_s, times, base, on_close, is_closed, loss (what has ended it).
local import, native = ...
local errors = import "errors"
local objects = import "objects"
local tutti = import "tutti"
local values = import "values"
local wire = import "wire"

local pages = objects.class "page"

-- A page that answers at all answers this within these seconds.
local PROBE_S = 10
local PROBE = '{"script":"return document.readyState","args":[]}'

-- The error raised from now on, whatever is requested of it.
local function mark_gone(session, failure)
  local why = session.driver and session.driver:why()
  if why then failure.message = failure.message .. " (" .. why .. ")" end
  session.loss = failure
end

local function is_timeout(failure)
  return failure.error == "timeout" or failure.error == "script timeout"
end

-- Whether the driver, or the browser or page after it, has stopped answering. A script or a page that takes too long is
-- reported by the driver in time; then the page is asked for something that takes no time.
local function is_hung(session, failure)
  if failure.kind == "timeout" then return true end
  if failure.kind or not is_timeout(failure) then return false end
  local again = wire.call(session.wire, "probe", "POST", session.path .. "/execute/sync", PROBE, PROBE_S)
  return again and is_timeout(again) or false
end

-- A browser that hangs is ended like one that has died.
local function end_hung(session, failure)
  failure.gone = true
  failure.message = "the browser has gone: " .. failure.message
  mark_gone(session, failure)
  if session.driver then pcall(session.driver.stop, session.driver) end
end

local function check_open(session, doing)
  if session.is_closed then
    errors.raise { error = "invalid session id", message = doing .. ": this page is closed" }
  end
  local loss = session.loss
  if not loss then return end
  errors.raise { error = loss.error, message = loss.message, details = loss.details, gone = true }
end

-- The failure of a command, or nil and its value. `patience`: how many seconds longer than others it may take.
function pages.attempt(session, doing, method, path, body, patience)
  check_open(session, doing)
  local timeout = session.command_s + (patience or 0)
  local failure, value = wire.call(session.wire, doing, method, session.path .. path, body, timeout)
  if not failure then return nil, values.decode(session, value) end
  if failure.gone then
    mark_gone(session, failure)
  elseif is_hung(session, failure) then
    end_hung(session, failure)
  end
  return failure
end

-- The same, recorded as `name` in the report; raises the failure.
function pages.command(session, name, doing, method, path, body, patience)
  local began = tutti.now()
  local failure, value = pages.attempt(session, doing, method, path, body, patience)
  native.record("browser " .. name, failure == nil, began, session.tags)
  if failure then errors.raise(failure) end
  return value
end

-- A command with a body, described by its name alone.
function pages.post(session, name, path, body, patience)
  return pages.command(session, name, name, "POST", path, values.encode(body or {}), patience)
end

function pages.ask(session, name, path)
  return pages.command(session, name, name, "GET", path)
end

-- Whether it can still be used, as far as is known here.
function pages.is_open(session)
  if session.is_closed or session.loss then return false end
  return not session.driver or session.driver:is_alive()
end

return pages
