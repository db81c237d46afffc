local tutti = require "tutti"
local http = require "tutti.http"

tutti.scenario("asks", function()
  http.get(tutti.target, { name = "ask" })
  tutti.sleep(0.02)
end)
