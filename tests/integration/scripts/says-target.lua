-- The address of the target goes into an error, and each worker proves that it is there. A word in front keeps the two
-- apart: the report counts together what differs by its address only.
local tutti = require "tutti"
local http = require "tutti.http"
tutti.options { target = "builtin" }
tutti.scenario("say", function(worker)
  assert(http.get(tutti.target .. "/page").status == 200)
  worker:barrier("both", { parties = 2 })
  error((worker.id == 0 and "one" or "other") .. " " .. tutti.target, 0)
end)
