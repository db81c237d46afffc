-- The fixture teardown fails.
local tutti = require "tutti"
tutti.teardown(function()
  error("no teardown today")
end)
tutti.scenario("nothing", function() end)
