-- A REST interface: make a thing, read it, change it, delete it. Two scenarios, by weight.
-- Try it: tutti run loadtest.lua --target builtin
local tutti = require "tutti"
local http = require "tutti.http"

tutti.options { workers = 5, runs = 10 }
tutti.http_defaults { timeout = 10, headers = { Accept = "application/json" } }

-- Requests with ids in their path share a name, so that the report has one row for all of them.
local function thing_of(worker)
  return "/pad/thing-" .. worker.id
end

tutti.scenario("change", { weight = 1 }, function(worker)
  local thing = thing_of(worker)
  local made = http.put(thing, { json = { size = worker.step }, name = "PUT /pad/ID" })
  made:expect { status = "2xx", fail = true } -- with fail, the step ends here
  local read = http.get(thing, { name = "GET /pad/ID" })
  tutti.check(read:json("$.size"), "reads what was written", worker.step)
  http.delete(thing, { name = "DELETE /pad/ID" })
end)

tutti.scenario("browse", { weight = 4 }, function()
  http.get("/page", { name = "GET /page" }):expect { status = 200, max = 1 }
end)
