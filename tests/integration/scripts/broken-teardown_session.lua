-- The fixture teardown_session fails.
local tutti = require "tutti"
tutti.teardown_session(function()
  error("no teardown_session today")
end)
tutti.scenario("nothing", function() end)
