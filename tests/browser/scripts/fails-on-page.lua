-- Steps that fail with a page open: how it looked is kept.
local tutti = require "tutti"
local common = require "common"

tutti.scenario("fails", function(worker)
  local page = common.page(worker, "/waits.html")
  page:execute("box.textContent = arguments[0]", ("worker %d, step %d ☃"):format(worker.id, worker.step))
  if worker.id ~= 0 or worker.step == 2 then error("on purpose") end
end)
