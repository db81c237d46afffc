-- Workers that do nothing at all until the campaign is stopped.
local tutti = require "tutti"

tutti.scenario("idle", function(worker)
  tutti.sleep(3600)
end)
