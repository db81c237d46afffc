-- One command to a WebDriver and its answer.
local import, native = ...
local errors = import "errors"
local json = import "json"
local wire = {}

-- Errors that some drivers report as plain text.
local refusals = { [404] = "unknown command", [405] = "unknown method" }

local function read(text)
  local ok, answer = pcall(json.decode, text)
  if ok then return answer end
  local why = tostring(answer)
  if string.find(why, "not enough memory", 1, true) then error(answer, 0) end
  return nil, "not JSON: " .. why
end

-- Older drivers mark an error by a number beside the value.
local function is_error(status, answer)
  return status >= 400 or (type(answer.status) == "number" and answer.status ~= 0)
end

-- A browser does one thing at a time; a task that is cancelled leaves it to the others.
local Turn = { __close = function(turn) turn.at.is_busy = false end, __metatable = "turn" }

-- Sends `body` (text, or nil) and returns nil, value, answer; or the fields of an error. `doing` describes the command
-- for a person.
function wire.call(at, doing, method, path, body, timeout)
  if at.is_busy then
    return errors.of_request(doing, "busy", "another task of the worker is using this browser", timeout)
  end
  at.is_busy = true
  local turn <close> = setmetatable({ at = at }, Turn)
  local status, text, why = native.request(method, at.url .. path, body, timeout, at.user, at.password)
  if not status then return errors.of_request(doing, text, why, timeout) end
  local answer
  answer, why = read(text)
  if type(answer) ~= "table" then
    if refusals[status] then return errors.of_answer(doing, status, { error = refusals[status], message = text }) end
    return errors.of_nonsense(doing, status, why or "not an object", text)
  end
  if is_error(status, answer) then return errors.of_answer(doing, status, answer.value) end
  if answer.value == nil and answer.sessionId == nil then
    return errors.of_nonsense(doing, status, "it has no value", text)
  end
  return nil, answer.value, answer
end

-- The parts of "http://user:password@host:port/path", without a slash at the end; nil if it is not such an address.
function wire.address(url)
  local scheme, rest = string.match(url, "^(https?)://([^%s%c]+)$")
  if not scheme then return nil end
  local authority, path = string.match(rest, "^([^/?#]+)(.*)$")
  if not authority then return nil end
  local credentials, host = string.match(authority, "^(.*)@([^@]*)$")
  local user, password
  if credentials then
    user, password = string.match(credentials, "^([^:]*):?(.*)$")
    authority = host
  end
  path = string.gsub(path, "/+$", "")
  return { url = scheme .. "://" .. authority .. path, user = user, password = password }
end

return wire
