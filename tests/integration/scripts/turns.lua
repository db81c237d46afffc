-- Worker 0 sets a variable of its own for each step, which worker 1 awaits.
local tutti = require "tutti"

tutti.scenario("turns", function(worker)
  local name = "turn-" .. worker.step .. " of 2a"
  if worker.id == 0 then
    tutti.set_var(name, worker.step)
  else
    assert(tutti.wait_var(name) == worker.step)
  end
end)
