-- Screenshots of megabytes, many of them: what is not needed any more goes.
local tutti = require "tutti"
local common = require "common"

tutti.scenario("large", function(worker)
  local page = common.page(worker, "/big.html")
  page:set_window_rect { width = 1900, height = 1200 }
  page:wait_until(function() return page:title() == "Big and drawn" end)
  for _ = 1, 3 do
    local bytes = #page:screenshot()
    assert(bytes > 3000000, bytes)
  end
end)
