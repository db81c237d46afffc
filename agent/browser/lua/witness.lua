-- Captures a worker's pages when one of its steps has failed.
local import, native = ...
local pages = import "pages"
local wire = import "wire"
local witness = {}

local PATIENCE_S = 5
local MAX_BYTES = 1024 * 1024
local MAX_PAGES = 2

local function ask(session, path)
  local failure, value = wire.call(session.wire, "witness", "GET", session.path .. path, nil, PATIENCE_S)
  return not failure and type(value) == "string" and value or nil
end

-- Half a character at the end would be invalid.
local function cut(text)
  if #text <= MAX_BYTES then return text end
  return string.sub(text, 1, (utf8.offset(text, 0, MAX_BYTES + 1) or MAX_BYTES + 1) - 1)
end

-- Keeps a picture and the source of the pages that still answer.
function witness.look(sessions)
  for i = 1, math.min(#sessions, MAX_PAGES) do
    local session = sessions[i]
    local picture = pages.is_open(session) and ask(session, "/screenshot")
    local bytes = picture and native.decode_base64(picture)
    if bytes then native.keep("screenshot", bytes) end
    local source = pages.is_open(session) and ask(session, "/source")
    if source then native.keep("source", cut(source)) end
  end
end

return witness
