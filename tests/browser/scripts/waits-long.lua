-- Every worker waits in its page for what never comes.
local tutti = require "tutti"
local common = require "common"

tutti.scenario("waits", function(worker)
  local page = common.page(worker, "/waits.html")
  tutti.print("waits now")
  page:wait_for("#never", { timeout = 600 })
end)
