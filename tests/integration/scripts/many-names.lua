-- Ten requests of 50 ms by one name, then one each by 249 names, all refused; then it waits.
local tutti = require "tutti"
local http = require "tutti.http"

tutti.scenario("many", function(worker)
  for _ = 1, 10 do
    http.get(tutti.target .. "/delay/50", { name = "first" })
  end
  for i = 0, 248 do
    http.get(tutti.target .. "/status/500", { name = "z-" .. i })
  end
  tutti.sleep(60)
end)
