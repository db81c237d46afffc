-- Tells a server of the start, and of each release from a barrier at one instant.
local tutti = require "tutti"
local http = require "tutti.http"
tutti.scenario("at once", function(worker)
  if worker.step == 1 then
    http.get(tutti.target .. "/start")
  end
  worker:barrier("door", { at_once = true })
  http.get(tutti.target .. "/released/" .. worker.step)
end)
