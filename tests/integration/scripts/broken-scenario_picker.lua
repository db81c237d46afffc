-- The fixture scenario_picker fails.
local tutti = require "tutti"
tutti.scenario_picker(function()
  error("no scenario_picker today")
end)
tutti.scenario("nothing", function() end)
