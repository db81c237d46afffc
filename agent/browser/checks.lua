-- What a script hands over, looked at before it goes anywhere.
local _, native = ...
local checks = {}

function checks.fail(format, ...)
  native.misuse(format:format(...))
end

local function kind(value, wanted, what)
  if type(value) ~= wanted then checks.fail("%s is a %s, not a %s", what, wanted, type(value)) end
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
  if value ~= value or value == math.huge or value == -math.huge then checks.fail("%s is a finite number", what) end
  return value
end

function checks.seconds(value, what)
  if checks.number(value, what) < 0 then checks.fail("%s is a number of seconds, not negative", what) end
  return value
end

function checks.milliseconds(value, what)
  return math.floor(checks.seconds(value, what) * 1000 + 0.5)
end

-- A whole number, as JSON of WebDriver wants it for pixels.
function checks.whole(value, what)
  return math.floor(checks.number(value, what) + 0.5)
end

-- nil stands for no options; `names` is a set of those that there are.
function checks.options(options, names, what)
  if options == nil then return {} end
  for name in pairs(checks.table(options, "what " .. what .. " takes as options")) do
    if not names[name] then checks.fail("%s: unknown option %s", what, tostring(name)) end
  end
  return options
end

function checks.set(...)
  local set = {}
  for _, name in ipairs { ... } do set[name] = true end
  return set
end

return checks
