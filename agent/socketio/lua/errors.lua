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

-- The answer of a server that opens no session.
function errors.raise_upgrade(what, status, answer)
  native.fail {
    kind = "upgrade", status = status, group = string.format("socketio %s: upgrade", what),
    message = string.format("socketio %s: the server opens no session: %s", what, answer),
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

-- Whether it is the end of the campaign.
function errors.is_stopped(value)
  return type(value) == "table" and rawget(value, "outcome") == "stopped"
end

-- Raises that again.
function errors.pass_stopped(value)
  if errors.is_stopped(value) then error(value, 0) end
end

return errors
