-- Checks arguments of a script before they are used. Tables are read by their raw fields.
local _, native = ...
local checks = {}

local LONGEST_S = 365 * 86400

function checks.fail(format, ...)
  native.misuse(string.format(format, ...))
end

function checks.kind(value, wanted, what)
  if type(value) ~= wanted then checks.fail("%s is a %s, not a %s", what, wanted, type(value)) end
  return value
end

function checks.seconds(value, what)
  if type(value) ~= "number" or not (value >= 0 and value <= LONGEST_S) then
    checks.fail("%s is a number of seconds, not negative", what)
  end
  return value
end

function checks.whole(value, what, maximum)
  if math.type(value) ~= "integer" or value < 1 or value > maximum then
    checks.fail("%s is a whole number from 1 to %d", what, maximum)
  end
  return value
end

-- A copy of the options; nil stands for none. `names` is the set of those that there are.
function checks.options(options, names, what)
  local copy = {}
  if options == nil then return copy end
  if type(options) ~= "table" then checks.fail("%s: expected a table of options, got a %s", what, type(options)) end
  if native.has_defaults(options) then
    checks.fail("%s: options must be plain fields: __index of a metatable is not followed", what)
  end
  for name, value in next, options do
    if not names[name] then checks.fail("%s: unknown option %s", what, tostring(name)) end
    copy[name] = value
  end
  return copy
end

function checks.set(...)
  local set = {}
  for _, name in ipairs { ... } do set[name] = true end
  return set
end

return checks
