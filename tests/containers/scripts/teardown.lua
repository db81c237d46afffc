-- A campaign whose teardown needs the target: each worker's page is put once more when the worker ends, and one page at the
-- very end. What reached the target is in the report, by the names of the requests.
local tutti = require "tutti"
local http = require "tutti.http"

local function put(page, name)
  local answer = http.put(tutti.target .. "/pad/" .. page, "text", { name = name })
  assert(answer.status < 300, name .. ": " .. answer.status)
end

tutti.teardown_session(function(worker) put("worker-" .. worker.id, "teardown of a worker") end)
tutti.global_teardown(function() put("end", "teardown of the campaign") end)

tutti.scenario("write", function(worker)
  put("worker-" .. worker.id, "write")
  worker:barrier("together")
  tutti.sleep(0.05)
end)
