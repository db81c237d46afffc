-- Checks arguments of a script before they are used. Tables are read by their raw fields and copied: what was checked
-- is what is used, and no metamethod of the script runs in between.
local _, native = ...
local checks = {}

local MAX_DEPTH = 100

function checks.fail(format, ...)
  native.misuse(string.format(format, ...))
end

local function kind(value, wanted, what)
  if type(value) ~= wanted then checks.fail("%s must be a %s, not a %s", what, wanted, type(value)) end
  return value
end

function checks.text(value, what)
  if type(value) == "number" then return tostring(value) end
  return kind(value, "string", what)
end

function checks.table(value, what)
  return kind(value, "table", what)
end

function checks.callable(value, what)
  return kind(value, "function", what)
end

function checks.number(value, what)
  kind(value, "number", what)
  if value ~= value or value == math.huge or value == -math.huge then checks.fail("%s must be a finite number", what) end
  return value
end

function checks.seconds(value, what)
  if checks.number(value, what) < 0 then checks.fail("%s must be a number of seconds, not negative", what) end
  return value
end

function checks.milliseconds(value, what)
  return math.floor(checks.seconds(value, what) * 1000 + 0.5)
end

-- An integer, as WebDriver's JSON requires for pixels.
function checks.whole(value, what)
  return math.floor(checks.number(value, what) + 0.5)
end

-- A list of texts, copied.
function checks.texts(value, what, item)
  local list = {}
  for i = 1, rawlen(checks.table(value, what)) do list[i] = checks.text(rawget(value, i), item) end
  return list
end

-- A copy of the options. nil stands for none; `names` is the set of known options.
function checks.options(options, names, what)
  local copy = {}
  if options == nil then return copy end
  checks.table(options, "what " .. what .. " takes as options")
  if native.has_defaults(options) then
    checks.fail("%s: options must be plain fields: __index of a metatable is not followed", what)
  end
  for name, value in next, options do
    if not names[name] then checks.fail("%s: unknown option %s", what, tostring(name)) end
    copy[name] = value
  end
  return copy
end

local function copy_of(value, what, depth)
  if type(value) ~= "table" then return value end
  if depth > MAX_DEPTH then checks.fail("%s: tables nested deeper than %d, or one that contains itself", what, MAX_DEPTH) end
  local copy = {}
  for key, inner in next, value do copy[key] = copy_of(inner, what, depth + 1) end
  return copy
end

-- The table and all tables in it, as they are now.
function checks.copy(value, what)
  return copy_of(checks.table(value, what), what, 0)
end

function checks.set(...)
  local set = {}
  for _, name in ipairs { ... } do set[name] = true end
  return set
end

return checks
