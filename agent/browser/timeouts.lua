-- How long pages may load, scripts may run and elements are waited for; in seconds.
local import = ...
local checks = import "checks"
local page = {}

local names = { script = "script", page_load = "pageLoad", implicit = "implicit" }
local known = checks.set("script", "page_load", "implicit")
-- Those of the standard, where the driver does not say.
local defaults = { script = 30, page_load = 300, implicit = 0 }
-- "script" may be null: no limit.
local ENDLESS_S = 86400

-- Takes note of what the driver has (milliseconds by its names); our own patience depends on it.
function page:read_timeouts(timeouts)
  self.times = {}
  for name, theirs in pairs(names) do
    local value = type(timeouts) == "table" and timeouts[theirs]
    if type(value) == "number" then
      local seconds = value / 1000
      self.times[name] = math.tointeger(seconds) or seconds
    else
      self.times[name] = value and ENDLESS_S or defaults[name]
    end
  end
end

-- page:timeouts() → { script =, page_load =, implicit = }
function page:timeouts()
  self:read_timeouts(self:ask("timeouts", "/timeouts"))
  return { script = self.times.script, page_load = self.times.page_load, implicit = self.times.implicit }
end

local function to_body(timeouts, what)
  local body = {}
  for name, seconds in pairs(checks.options(timeouts, known, what)) do
    body[names[name]] = checks.milliseconds(seconds, name)
  end
  return body
end

-- page:set_timeouts { script =, page_load =, implicit = }: those that are not named stay as they are.
function page:set_timeouts(timeouts)
  self:post("set_timeouts", "/timeouts", to_body(timeouts, "set_timeouts"))
  for name, seconds in pairs(timeouts) do self.times[name] = seconds end
end

return { page = page, to_body = to_body }
