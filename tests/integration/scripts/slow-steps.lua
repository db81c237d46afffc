-- Rounds that take their time and tell of themselves.
local tutti = require "tutti"
tutti.scenario("round", function(worker)
  worker:barrier("round")
  tutti.print("worker " .. worker.id .. " on " .. worker.agent .. " in step " .. worker.step)
  tutti.sleep(0.05)
end)
