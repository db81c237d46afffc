-- The fixture events fails.
local tutti = require "tutti"
tutti.events(function()
  error("no events today")
end)
tutti.scenario("nothing", function() end)
