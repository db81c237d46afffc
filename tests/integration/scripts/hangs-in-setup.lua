-- A global fixture that does not come back in time.
local tutti = require "tutti"
tutti.global_setup(function()
  tutti.sleep(600)
end)
tutti.scenario("nothing", function() end)
