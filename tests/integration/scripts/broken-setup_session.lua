-- The fixture setup_session fails.
local tutti = require "tutti"
tutti.setup_session(function()
  error("no setup_session today")
end)
tutti.scenario("nothing", function() end)
