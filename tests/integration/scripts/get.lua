-- One request to the target; a large answer takes its time.
local tutti = require "tutti"
local http = require "tutti.http"
tutti.scenario("get", function()
  local answer = http.get(tutti.target, { timeout = tutti.target:find("large") and 15 or 2 })
  assert(answer.status == 200)
end)
