-- All workers wait at the door and go through it at once: how does the server handle a hundred requests at the same
-- instant? The report says how far apart they really were ("spread").
--
--   tutti run examples/rush.lua
local tutti = require "tutti"
local http = require "tutti.http"

tutti.options { workers = 100, runs = 5, target = "builtin" } -- the command line overrides these

tutti.scenario("rush", function(worker)
  worker:barrier("door", { at_once = true }) -- opens for all at one instant, on every machine
  local page = http.get(tutti.target .. "/")
  assert(page.status == 200, "the server answered " .. page.status)
end)
