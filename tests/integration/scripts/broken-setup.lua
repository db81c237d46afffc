-- The fixture setup fails.
local tutti = require "tutti"
tutti.setup(function()
  error("no setup today")
end)
tutti.scenario("nothing", function() end)
