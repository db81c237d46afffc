-- A wait that only the end of the campaign can end, beside a worker that goes on.
local tutti = require "tutti"
tutti.scenario("wait", function(worker)
  if worker.step == 1 then
    worker:barrier("all are there")
  end
  if worker.id == 0 then
    tutti.print("working")
    tutti.sleep(0.05)
  else
    tutti.wait_var("never", { timeout = 500 })
  end
end)
tutti.teardown(function(worker)
  tutti.print("torn down " .. worker.id)
end)
