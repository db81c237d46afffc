-- One request to whoever stands at the target.
local tutti = require "tutti"
local http = require "tutti.http"
tutti.scenario("get", function()
  local answer = http.get(tutti.target, { timeout = 2 })
  assert(answer.status == 200)
end)
