-- Workers that take their time to leave.
local tutti = require "tutti"
tutti.scenario("short", function() tutti.sleep(0.05) end)
tutti.teardown_session(function() tutti.sleep(3) end)
