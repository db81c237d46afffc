-- Errors by their WebDriver names, and what they imply about the browser.
local _, native = ...
local errors = {}

local MAX_MESSAGE = 600

-- Those of the standard; then those of older drivers.
local names = {
  "detached shadow root", "element click intercepted", "element not interactable", "insecure certificate",
  "invalid argument", "invalid cookie domain", "invalid element state", "invalid selector", "invalid session id",
  "javascript error", "move target out of bounds", "no such alert", "no such cookie", "no such element",
  "no such frame", "no such shadow root", "no such window", "script timeout", "session not created",
  "stale element reference", "timeout", "unable to capture screen", "unable to set cookie",
  "unexpected alert open", "unknown command", "unknown error", "unknown method", "unsupported operation",
  "element not selectable", "element not visible", "ime engine activation failed", "ime not available",
  "invalid element coordinates",
}

-- errors.names.NO_SUCH_ELEMENT == "no such element"
errors.names = {}
for _, name in ipairs(names) do errors.names[string.gsub(string.upper(name), " ", "_")] = name end

-- The messages of drivers if it is the browser that is gone, not one of its pages.
local goodbyes = {
  "session deleted", "disconnected", "not reachable", "browser has closed", "browser has crashed",
  "Failed to decode response from marionette", "Failed to write request to stream",
  "without establishing a connection", "Process unexpectedly closed", "tab crashed",
}

local function says_goodbye(name, message)
  if name == "invalid session id" then return true end
  if name ~= "unknown error" and name ~= "no such window" then return false end
  for _, words in ipairs(goodbyes) do
    if string.find(message, words, 1, true) then return true end
  end
  return false
end

-- One line, without the name that some drivers prefix it with.
local function headline(name, message)
  local line = string.gsub(string.match(message, "^[^\r\n]*"), "%c", " ")
  if string.sub(line, 1, #name) == name then line = string.match(string.sub(line, #name + 1), "^[:%s]*(.*)") end
  return string.sub(line, 1, MAX_MESSAGE)
end

local function text_of(value)
  return type(value) == "string" and value or ""
end

-- A driver's answer to `doing` that is an error.
function errors.of_answer(doing, status, value)
  value = type(value) == "table" and value or {}
  local name = text_of(value.error)
  if name == "" then name = "unknown error" end
  local details = text_of(value.message)
  local fields = {
    error = name, status = status, details = details, stacktrace = text_of(value.stacktrace), data = value.data,
    gone = says_goodbye(name, details),
  }
  local line = headline(name, details)
  local what = line ~= "" and name .. ": " .. line or name
  fields.message = fields.gone and string.format("the browser has gone: %s: %s", doing, what) or doing .. ": " .. what
  return fields
end

-- An answer that is not from a WebDriver at all.
function errors.of_nonsense(doing, status, why, text)
  local start = string.gsub(string.sub(text, 1, 80), "[%c\128-\255]", "?")
  return {
    error = "unknown error", status = status, details = string.sub(text, 1, 10000), gone = false,
    message = string.format("%s: the answer is not from a WebDriver (%s): status %d, %d bytes: %s", doing, why, status,
      #text, start),
  }
end

-- The request itself failed: `kind` is one of tutti.http's.
function errors.of_request(doing, kind, why, timeout)
  if kind == "timeout" then
    return {
      error = "timeout", kind = kind, details = why, gone = false,
      message = string.format("%s: the driver has not answered within %g s", doing, timeout),
    }
  end
  local is_lost = kind == "connect" or kind == "reset"
  return {
    error = "unknown error", kind = kind, details = why, gone = is_lost,
    message = is_lost and string.format("the browser has gone: %s: its driver does not answer (%s)", doing, why)
      or string.format("%s: %s", doing, why),
  }
end

-- Raises one of the above, or any table with a message.
function errors.raise(fields)
  native.fail(fields)
end

return errors
