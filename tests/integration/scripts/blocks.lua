-- The first worker keeps its agent's loop for itself, 80 ms at a time; the others sleep.
local tutti = require "tutti"

local function spin()
  local till = os.clock() + 0.08
  while os.clock() < till do
  end
end

tutti.scenario("blocks", function(worker)
  if worker.id ~= 0 then
    return tutti.sleep(0.05)
  end
  -- A script gives way to others while it computes, but not within a callback of C.
  string.gsub("x", "x", spin)
  tutti.sleep(0)
end)
