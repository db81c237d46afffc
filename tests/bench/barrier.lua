-- Nothing but one barrier of all workers after another.
local tutti = require "tutti"

tutti.scenario("meet", function(worker)
  worker:barrier("all")
end)
