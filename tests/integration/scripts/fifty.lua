-- Each step: a request that takes 50 ms, by two names in turn, and a check.
local tutti = require "tutti"
local http = require "tutti.http"

tutti.scenario("fifty", function(worker)
  local name = worker.step % 2 == 0 and "even, or not" or "odd"
  local page = http.get(tutti.target .. "/delay/50", { name = name })
  tutti.check(page.status, "is 200", function(status) return status == 200 end)
end)
