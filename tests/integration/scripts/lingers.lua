-- Steps that are soon over, and a teardown that lasts: the numbers stand still meanwhile.
local tutti = require "tutti"
local http = require "tutti.http"
tutti.scenario("look", function(worker)
  http.get(tutti.target .. "/", { name = "look" })
  tutti.print("worker " .. worker.id .. " has looked")
end)
tutti.teardown(function() tutti.sleep(3) end)
