-- Five hundred names, each seen a few times a second by somebody; rooms of five that meet.
local tutti = require "tutti"
tutti.scenario("page", function(worker)
  for i = 1, 50 do
    tutti.time(("GET /pad/{id}/%d"):format((worker.id * 50 + i + worker.step) % 500), function() end)
  end
  worker:barrier("go", { timeout = 10 })
  tutti.sleep(0.9)
end)
