-- A browser of its own for each worker, which waits in it for what never comes.
local tutti = require "tutti"
local browser = require "tutti.browser"

tutti.scenario("wait", function(worker)
  local page = browser.of(worker)
  page:open("/page")
  if worker.step == 2 then return end
  print("up " .. page.id)
  page:wait_for("#never", { timeout = 20 })
end)
