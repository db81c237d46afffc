-- Steps in which nobody waits for anybody.
local tutti = require "tutti"
tutti.scenario("nap", function()
  tutti.sleep(0.05)
end)
