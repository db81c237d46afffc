-- The fixture global_setup fails.
local tutti = require "tutti"
tutti.global_setup(function()
  error("no global_setup today")
end)
tutti.scenario("nothing", function() end)
