-- Prints without end of line troubles, from every worker.
local tutti = require "tutti"
tutti.scenario("print", function(worker)
  tutti.print("a line of worker " .. worker.id)
  tutti.sleep(0.5)
end)
