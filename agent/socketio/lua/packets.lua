-- Socket.IO packets as text and attachments. Protocol 4 (with Engine.IO 3) and 5 (with Engine.IO 4) write them alike.
local import = ...
local checks = import "checks"
local json = import "json"
local packets = {
  CONNECT = 0, DISCONNECT = 1, EVENT = 2, ACK = 3, CONNECT_ERROR = 4, BINARY_EVENT = 5, BINARY_ACK = 6,
  MAX_ATTACHMENTS = 100,
}

local MAX_DEPTH = 200
local MAX_NAMESPACE = 200

-- The bytes of each object that stands for them in what a script emits.
local bytes_of = setmetatable({}, { __mode = "k" })
local Binary = {
  __metatable = "binary",
  __len = function(object) return #bytes_of[object] end,
  __tostring = function(object) return bytes_of[object] end,
}

function packets.binary(bytes)
  local object = setmetatable({}, Binary)
  bytes_of[object] = checks.kind(bytes, "string", "what socketio.binary takes")
  return object
end

-- `found` are the attachments so far; `seen` has what each table became, or false while it is looked at.
local function take_apart(value, found, seen, depth)
  if type(value) ~= "table" then return value end
  if bytes_of[value] then
    if #found >= packets.MAX_ATTACHMENTS then checks.fail("io:emit: more than %d attachments", packets.MAX_ATTACHMENTS) end
    found[#found + 1] = bytes_of[value]
    return { _placeholder = true, num = #found - 1 }
  end
  if seen[value] == false then checks.fail("io:emit: a table that contains itself") end
  if seen[value] then return seen[value] end
  if depth > MAX_DEPTH then checks.fail("io:emit: more than %d levels of tables", MAX_DEPTH) end
  seen[value] = false
  local copy
  for key, inner in next, value do
    local new = take_apart(inner, found, seen, depth + 1)
    if not rawequal(new, inner) then
      if not copy then
        copy = rawequal(getmetatable(value), json.array_mt) and setmetatable({}, json.array_mt) or {}
        for name, old in next, value do copy[name] = old end
      end
      copy[key] = new
    end
  end
  seen[value] = copy or value
  return seen[value]
end

-- The text, and the list of attachments. `packet` has type, namespace, id (or nil), and a list `values` with `count`,
-- or `data` (or nil).
function packets.encode(packet)
  local kind, found, data = packet.type, {}, packet.data
  if packet.values then
    local seen = {}
    data = setmetatable({}, json.array_mt)
    for i = 1, packet.count do
      local value = packet.values[i]
      if value == nil then value = json.null end
      data[i] = take_apart(value, found, seen, 1)
    end
    if found[1] then kind = kind + packets.BINARY_EVENT - packets.EVENT end
  end
  return table.concat {
    kind, found[1] and string.format("%d-", #found) or "", packet.namespace ~= "/" and packet.namespace .. "," or "",
    packet.id and string.format("%d", packet.id) or "", data ~= nil and json.encode(data) or "",
  }, found
end

-- The parts of the text before its JSON.
local function read_head(text)
  local kind = tonumber(string.match(text, "^[0-6]"))
  if not kind then return nil, "a packet of an unknown type" end
  local packet, at = { type = kind, namespace = "/", attachments = 0 }, 2
  if kind == packets.BINARY_EVENT or kind == packets.BINARY_ACK then
    local digits, after = string.match(text, "^(%d+)%-()", at)
    if not digits or #digits > 9 then return nil, "a binary packet without the number of its attachments" end
    packet.attachments, at = tonumber(digits), after
    if packet.attachments > packets.MAX_ATTACHMENTS then return nil, "a packet with too many attachments" end
  end
  if string.sub(text, at, at) == "/" then
    local comma = string.find(string.sub(text, at, at + MAX_NAMESPACE), ",", 1, true)
    if not comma and #text - at >= MAX_NAMESPACE then return nil, "a namespace that is too long" end
    local name = string.sub(text, at, comma and at + comma - 2 or -1)
    packet.namespace = string.match(name, "^[^?]*")
    at = comma and at + comma or #text + 1
  end
  local id, after = string.match(text, "^(%d+)()", at)
  if id then
    if #id > 15 then return nil, "an id that is too long" end
    packet.id, at = tonumber(id), after
  end
  return packet, at
end

local function check_data(packet, first)
  local kind, data = packet.type, packet.data
  if kind == packets.EVENT or kind == packets.BINARY_EVENT then
    local name = first == "[" and data[1]
    if type(name) ~= "string" then return "an event without a name" end
  elseif kind == packets.ACK or kind == packets.BINARY_ACK then
    if first ~= "[" then return "an acknowledgement that is not a list" end
    if not packet.id then return "an acknowledgement without an id" end
  elseif kind == packets.CONNECT then
    if data ~= nil and type(data) ~= "table" then return "a connect packet that has no object" end
  elseif kind == packets.DISCONNECT and data ~= nil then
    return "a disconnect packet with data"
  end
end

-- A packet: type, namespace, id, data, attachments (how many follow); or nil, why.
function packets.decode(text)
  local packet, at = read_head(text)
  if not packet then return nil, at end
  local first = string.sub(text, at, at)
  if first ~= "" then
    local ok, data = pcall(json.decode, string.sub(text, at))
    if not ok then return nil, "a packet that is not JSON" end
    packet.data = data
  end
  local why = check_data(packet, first)
  if why then return nil, why end
  return packet
end

local function put_together(value, buffers)
  if type(value) ~= "table" then return value end
  if rawget(value, "_placeholder") == true then
    local bytes = math.type(value.num) == "integer" and buffers[value.num + 1]
    if not bytes then error("a placeholder without its attachment", 0) end
    return bytes
  end
  for key, inner in next, value do
    if type(inner) == "table" then value[key] = put_together(inner, buffers) end
  end
  return value
end

-- Puts the attachments into the packet; true, or nil and why.
function packets.attach(packet, buffers)
  local ok, why = pcall(put_together, packet.data, buffers)
  if not ok then
    if type(why) == "string" and string.find(why, "placeholder", 1, true) then return nil, why end
    error(why, 0)
  end
  return true
end

return packets
