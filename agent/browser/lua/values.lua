-- Converts values for a page and back: elements become objects, WebDriver's nulls become nil.
local import, native = ...
local checks = import "checks"
local json = import "json"

local values = {
  ELEMENT = "element-6066-11e4-a52e-4f735466cecf",
  SHADOW = "shadow-6066-11e4-a52e-4f735466cecf",
}

local WINDOW = "window-fcc6-11e5-b4f8-330a88ab9d7f"
local FRAME = "frame-075b-4954-890e-2359dbf7b4cb"
local MAX_DEPTH = 100

-- Set by element.lua: constructors for an element and for a shadow root of a session, and the name and id by which
-- one of them is sent (nil for any other table).
values.new_element = nil
values.new_shadow = nil
values.reference_of = nil

-- Tables that are sent as lists even when they are empty (a plain empty table is an object).
local lists = setmetatable({}, { __mode = "k" })

function values.list(items)
  items = checks.table(items or {}, "what browser.list takes")
  lists[items] = true
  return items
end

local encode

local function encode_list(items, count, depth)
  local parts = {}
  for i = 1, count do parts[i] = encode(rawget(items, i), depth + 1) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object, depth)
  local parts = {}
  for key, value in next, object do
    if type(key) ~= "string" and type(key) ~= "number" then
      checks.fail("a table with a %s as key cannot be passed to a page", type(key))
    end
    parts[#parts + 1] = json.encode(tostring(key)) .. ":" .. encode(value, depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function encode_table(value, depth)
  if depth > MAX_DEPTH then checks.fail("tables nested deeper than %d, or one that contains itself", MAX_DEPTH) end
  local name, id = values.reference_of(value)
  if name then return encode_object({ [name] = id }, depth) end
  local count = rawlen(value)
  if count > 0 or lists[value] then return encode_list(value, count, depth) end
  if next(value) == nil then return json.encode(value) end -- [] where json.array has marked it
  return encode_object(value, depth)
end

function encode(value, depth)
  local kind = type(value)
  if kind == "table" then return encode_table(value, depth) end
  local is_json = rawequal(value, json.null) or rawequal(value, json.empty_array)
  if kind == "function" or kind == "thread" or (kind == "userdata" and not is_json) then
    checks.fail("a %s cannot be passed to a page", kind)
  end
  if math.type(value) == "integer" then return tostring(value) end
  if kind == "number" and (value ~= value or value == math.huge or value == -math.huge) then
    checks.fail("%s cannot be passed to a page", tostring(value))
  end
  return json.encode(value)
end

-- JSON for a driver; elements and shadow roots anywhere within become references.
function values.encode(value)
  return encode(value, 0)
end

-- The arguments of a function, some of them perhaps nil.
function values.encode_arguments(...)
  return encode_list({ ... }, select("#", ...), 0)
end

local function reference(session, value)
  local id = value[values.ELEMENT] or value.ELEMENT
  if type(id) == "string" and next(value, next(value)) == nil then return values.new_element(session, id) end
  id = value[values.SHADOW]
  if type(id) == "string" then return values.new_shadow(session, id) end
  return value[WINDOW] or value[FRAME]
end

-- Numbers without a fraction become integers; nulls inside of tables stay json.null, so that lists keep their
-- indices.
local function decode(session, value)
  if type(value) == "number" then return math.tointeger(value) or value end
  if type(value) ~= "table" then return value end
  local known = reference(session, value)
  if known ~= nil then return known end
  for key, inner in next, value do value[key] = decode(session, inner) end
  return value
end

function values.decode(session, value)
  if value == json.null then return nil end
  return decode(session, value)
end

-- Decodes a screenshot or a printed page.
function values.bytes(text, doing)
  local bytes = type(text) == "string" and native.decode_base64(text)
  if not bytes then
    native.fail { error = "unknown error", message = doing .. ": what the driver sent is not base64" }
  end
  return bytes
end

local function escape_letter(letter)
  return string.format("%%%02X", string.byte(letter))
end

-- A part of a path: ids and names from scripts and drivers.
function values.escape(text)
  return (string.gsub(text, "[^%w%-%._~]", escape_letter))
end

return values
