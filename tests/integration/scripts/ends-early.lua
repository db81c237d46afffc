-- A reader that ends before its first step.
local tutti = require "tutti"
tutti.setup(function(worker)
  if worker.id == 1 then
    error("worker 1 stays at home")
  end
end)
require("scene").play {}
