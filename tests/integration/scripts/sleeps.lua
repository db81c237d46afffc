-- A step that would last for long, and a teardown that tells of itself.
local tutti = require "tutti"
tutti.scenario("sleep", function(worker)
  worker:barrier("all are there")
  tutti.print("sleeping")
  tutti.sleep(600)
end)
tutti.teardown(function(worker)
  tutti.print("torn down " .. worker.id)
end)
