-- Workers that meet again and again: how long they wait for each other tells what else keeps the agent busy.
local tutti = require "tutti"
tutti.scenario("meet", function(worker)
  for round = 1, 20 do worker:barrier("b") end
end)
