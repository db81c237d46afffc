-- Tasks of workers over two agents: each scenario is one thing that they promise.
local tutti = require "tutti"
local http = require "tutti.http"

-- Everybody waits for the writer, whose own task writes while it waits itself: no deadlock, and not short.
tutti.scenario("helps itself", function(worker)
  local round = worker:notifier("own")
  if worker.seat == 0 then
    tutti.task(function() tutti.sleep(0.4) round:written("late") end)
  end
  assert(round:wait_for_writer() == "late")
end)

-- The same, but the task of the writer waits too.
tutti.scenario("stuck", function(worker)
  local round = worker:notifier("none")
  local task = tutti.task(function()
    tutti.sleep(0.1)
    round:wait_for_readers()
  end)
  round:wait_for_writer()
  task:wait()
end)

tutti.scenario("fails", function()
  tutti.task(function() error("what the task says") end)
  tutti.sleep(0.02)
end)

tutti.scenario("busy", function(worker)
  worker.listener = worker.listener or tutti.task({ keep = true }, function()
    while true do pcall(tutti.wait_var, "never", { timeout = 0.05 }) end
  end)
  local tasks = {}
  for i = 1, 40 do
    tasks[i] = tutti.task(function()
      tutti.incr("done")
      tutti.sleep(i / 2000)
      return http.get("/delay/" .. i).status
    end)
  end
  for _, status in ipairs { tutti.all(tasks) } do assert(status == 200) end
  worker:barrier("together", { timeout = 30 })
end)

tutti.scenario("for ever", function()
  for _ = 1, 20 do tutti.task(function() http.get("/delay/60000") end) end
  tutti.task(function() while true do pcall(tutti.sleep, 60) end end)
  tutti.task({ keep = true }, function() while true do pcall(tutti.wait_var, "never") end end)
  tutti.sleep(60)
end)
