-- All workers meet once in each step, and are done.
local tutti = require "tutti"
tutti.scenario("meet", function(worker)
  worker:barrier("here")
end)
