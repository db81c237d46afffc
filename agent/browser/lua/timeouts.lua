-- How long pages may load, scripts may run and elements are awaited; in seconds.
local import = ...
local checks = import "checks"
local pages = import "pages"
local page = {}

local names = { script = "script", page_load = "pageLoad", implicit = "implicit" }
local known = checks.set("script", "page_load", "implicit")
-- The defaults of the standard, if the driver does not report its own.
local defaults = { script = 30, page_load = 300, implicit = 0 }
-- "script" may be null: no limit.
local ENDLESS_S = 86400

-- The driver's timeouts (milliseconds by its names) in seconds; our own timeouts depend on them.
local function from_wire(timeouts)
  local times = {}
  for name, theirs in next, names do
    local value = type(timeouts) == "table" and timeouts[theirs]
    if type(value) == "number" then
      local seconds = value / 1000
      times[name] = math.tointeger(seconds) or seconds
    else
      times[name] = value and ENDLESS_S or defaults[name]
    end
  end
  return times
end

-- page:timeouts() → { script =, page_load =, implicit = }
function page:timeouts()
  local session = pages.of(self)
  session.times = from_wire(pages.ask(session, "timeouts", "/timeouts"))
  return { script = session.times.script, page_load = session.times.page_load, implicit = session.times.implicit }
end

local function to_body(timeouts, what)
  local body, given = {}, checks.options(timeouts, known, what)
  for name, seconds in next, given do body[names[name]] = checks.milliseconds(seconds, name) end
  return body, given
end

-- page:set_timeouts { script =, page_load =, implicit = }: those not given stay unchanged.
function page:set_timeouts(timeouts)
  local session = pages.of(self)
  local body, given = to_body(timeouts, "set_timeouts")
  pages.post(session, "set_timeouts", "/timeouts", body)
  for name, seconds in next, given do session.times[name] = seconds end
end

return { page = page, to_body = to_body, from_wire = from_wire }
