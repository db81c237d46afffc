-- Errors that scripts get: tables with a kind and a message, as those of tutti.websocket.
local _, native = ...
local errors = {}

function errors.raise(kind, what, format, ...)
  native.fail {
    kind = kind, message = string.format("socketio %s: %s", what, string.format(format, ...)),
    group = string.format("socketio %s: %s", what, kind),
  }
end

function errors.raise_timeout(what, doing, waited)
  native.fail {
    kind = "timeout", outcome = "timeout", waited = waited, missing = {}, group = string.format("socketio %s: timeout", what),
    message = string.format("%s: timed out after %.3g s (%s)", doing, waited, what),
  }
end

-- The server's own words about why it lets nobody in; `data` is what it sent with them.
function errors.raise_refused(what, message, data)
  native.fail {
    kind = "connect_error", data = data, group = string.format("socketio %s: connect_error", what),
    message = string.format("socketio %s: the server refuses: %s", what, message),
  }
end

function errors.kind(value)
  return type(value) == "table" and rawget(value, "kind") or nil
end

function errors.text(value)
  local message = type(value) == "table" and rawget(value, "message") or value
  return tostring(message)
end

-- Raises it again if it is the end of the campaign.
function errors.pass_stopped(value)
  if type(value) == "table" and rawget(value, "outcome") == "stopped" then error(value, 0) end
end

return errors
