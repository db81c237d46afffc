-- Engine.IO as bytes: the payloads of polling, and the handshake. A packet is a table: { text = } with its type as the
-- first character, or { bytes = } for a binary message.
local import = ...
local crypto = import "crypto"
local json = import "json"
local codec = {}

local SEPARATOR = "\30"
local LONGEST_SID = 200
local MAX_PACKETS = 10000
local MAX_MS = 86400000

-- In the units of JavaScript's strings, by which version 3 counts; nil if the text is not UTF-8.
function codec.units(text)
  if not string.find(text, "[\128-\255]") then return #text end
  local count = utf8.len(text)
  if not count then return nil end
  local _, wide = string.gsub(text, "[\240-\247]", "")
  return count + wide
end

-- Where the first `count` units of the text from `from` on end; nil if they are not there, or not UTF-8.
local function end_of_units(text, from, count)
  local left, at = count, from - 1
  while left > 0 do
    local first = at + 1
    at = at + left
    if at > #text then return nil end
    while true do
      local byte = string.byte(text, at + 1)
      if not byte or byte < 128 or byte > 191 then break end
      at = at + 1
    end
    local units = codec.units(string.sub(text, first, at))
    if not units or units > left then return nil end
    left = left - units
  end
  return at
end

function codec.encode_payload(version, packets)
  local parts = {}
  for i, packet in ipairs(packets) do
    local text = packet.text or (version == 3 and "b4" or "b") .. crypto.base64_encode(packet.bytes)
    if version == 3 then text = string.format("%d:%s", codec.units(text), text) end
    parts[i] = text
  end
  return table.concat(parts, version == 3 and "" or SEPARATOR)
end

local function decode_packet(version, text)
  if text == "" then return nil, "an empty packet" end
  if string.sub(text, 1, 1) ~= "b" then return { text = text } end
  if version == 3 and string.sub(text, 2, 2) ~= "4" then return nil, "a binary packet that is no message" end
  local ok, bytes = pcall(crypto.base64_decode, string.sub(text, version == 3 and 3 or 2))
  if not ok then return nil, "a binary packet that is not base64" end
  return { bytes = bytes }
end

local function split_3(body)
  local parts, at = {}, 1
  while at <= #body do
    local digits, after = string.match(body, "^(%d+):()", at)
    if not digits or #digits > 9 then return nil, "a packet without its length" end
    local last = end_of_units(body, after, tonumber(digits))
    if not last then return nil, "a packet that is shorter than its length, or not UTF-8" end
    if #parts >= MAX_PACKETS then return nil, "too many packets" end
    parts[#parts + 1] = string.sub(body, after, last)
    at = last + 1
  end
  return parts
end

local function split_4(body)
  local parts, at = {}, 1
  while true do
    local text, after = string.match(body, "^([^" .. SEPARATOR .. "]*)()", at)
    if #parts >= MAX_PACKETS then return nil, "too many packets" end
    parts[#parts + 1] = text
    if after > #body then return parts end
    at = after + 1
  end
end

-- A list of packets; or nil, why.
function codec.decode_payload(version, body)
  local parts, why = (version == 3 and split_3 or split_4)(body)
  if not parts then return nil, why end
  for i, text in ipairs(parts) do
    parts[i], why = decode_packet(version, text)
    if not parts[i] then return nil, why end
  end
  return parts
end

local function seconds(value)
  if type(value) ~= "number" or not (value >= 1 and value <= MAX_MS) then return nil end
  return value / 1000
end

-- The fields of the first packet, with times in seconds; or nil, why.
function codec.decode_open(text)
  if string.sub(text, 1, 1) ~= "0" then return nil, "it does not begin with an open packet" end
  local ok, fields = pcall(json.decode, string.sub(text, 2))
  if not ok or type(fields) ~= "table" then return nil, "its open packet is not JSON" end
  local open = { sid = fields.sid, interval = seconds(fields.pingInterval), timeout = seconds(fields.pingTimeout) }
  if type(open.sid) ~= "string" or open.sid == "" or #open.sid > LONGEST_SID then
    return nil, "its open packet has no sid"
  end
  if not open.interval or not open.timeout then return nil, "its open packet has no pingInterval or pingTimeout" end
  open.upgrades = {}
  if type(fields.upgrades) == "table" then
    for _, name in ipairs(fields.upgrades) do
      if type(name) == "string" then open.upgrades[name] = true end
    end
  end
  if math.type(fields.maxPayload) == "integer" and fields.maxPayload > 0 then open.max_payload = fields.maxPayload end
  return open
end

return codec
