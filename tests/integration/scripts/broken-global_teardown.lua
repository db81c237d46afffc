-- The fixture global_teardown fails.
local tutti = require "tutti"
tutti.global_teardown(function()
  error("no global_teardown today")
end)
tutti.scenario("nothing", function() end)
