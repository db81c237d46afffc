-- A browser, its driver or the process of its page is stopped in the middle of a step: that step fails, the next one has a new browser.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"

tutti.scenario("hung", function(worker)
  local page = browser.of(worker, common.options { command = 5, timeouts = { script = 3 } })
  page:open("/waits.html")
  if worker.step == 1 then worker.first = page.id end
  if worker.step == 2 then
    common.same(page.id, worker.first)
    tutti.print("stop it")
    page:wait_for("#never")
  end
  if worker.step == 3 then assert(page.id ~= worker.first) end
  common.same(page:find("#box"):text(), "empty")
end)
