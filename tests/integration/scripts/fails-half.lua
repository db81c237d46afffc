-- Every second step fails.
local tutti = require "tutti"
tutti.scenario("half", function(worker)
  assert(worker.step % 2 == 0, "an odd step")
end)
