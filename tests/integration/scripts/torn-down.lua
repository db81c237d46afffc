-- Steps of 50 ms, and teardowns that tell the target of themselves.
local tutti = require "tutti"
local http = require "tutti.http"
tutti.global_teardown(function()
  http.put(tutti.target .. "/pad/global", "torn down")
  tutti.print("torn down: the campaign")
end)
tutti.teardown_session(function(worker)
  http.put(tutti.target .. "/pad/" .. worker.id, "torn down")
  tutti.print("torn down: worker " .. worker.id)
end)
tutti.scenario("step", function()
  tutti.sleep(0.05)
end)
