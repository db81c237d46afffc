-- A browser that is killed in the middle of a step: that step fails, the next one has a new browser.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"

tutti.scenario("killed", function(worker)
  local page = browser.of(worker, common.options())
  page:open("/waits.html")
  if worker.step == 1 then worker.first = page.id end
  if worker.step == 2 then
    common.same(page.id, worker.first)
    tutti.print("kill it")
    page:wait_for("#never")
  end
  if worker.step == 3 then assert(page.id ~= worker.first) end
  common.same(page:find("#box"):text(), "empty")
end)
