-- Each round another worker writes and all others read; who is set up is torn down, and the number of workers is told.
local tutti = require "tutti"
tutti.setup(function() tutti.incr("set up") end)
tutti.teardown(function() tutti.incr("torn down") end)
tutti.scenario("turns", function(worker)
  local round = worker:notifier("page")
  local writer = (worker.step - 1) % worker.room.size
  tutti.set_var("count", worker.count)
  if worker.seat == writer then
    if worker.step > 1 then worker:notifier("page", { step = worker.step - 1 }):wait_for_readers() end
    tutti.sleep(0.02)
    round:written(worker.id)
  else
    assert(round:wait_for_writer() % worker.room.size == writer)
    round:one_read()
  end
end)
tutti.global_teardown(function()
  local up, down = tutti.get_var("set up"), tutti.get_var("torn down")
  assert(up == down, up .. " were set up and " .. down .. " torn down")
  error("at the end " .. tutti.get_var("count") .. " of " .. up, 0)
end)
