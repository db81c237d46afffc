-- The first worker keeps its agent's loop for itself, 80 ms at a time; the others sleep.
local tutti = require "tutti"
tutti.scenario("blocks", function(worker)
  if worker.id ~= 0 then
    return tutti.sleep(0.05)
  end
  local till = os.clock() + 0.08
  while os.clock() < till do
  end
  tutti.sleep(0)
end)
