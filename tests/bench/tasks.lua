-- What a task costs: the time from its start to its end, and the memory of one that waits.
--   tutti run -w 1000 -r 1 --agents 1 --shards 1 --allow-system tests/bench/tasks.lua
local tutti = require "tutti"
local TASKS = tonumber(os.getenv("TASKS") or 100)

local function nothing() end
local function waits() tutti.sleep(60) end

-- Microseconds for each, in the best of 50 rounds.
local function best(count, round)
  local least = math.huge
  for _ = 1, 50 do
    local began = tutti.now()
    round()
    least = math.min(least, (tutti.now() - began) / count)
  end
  return least * 1e6
end

local function resident_kb()
  local file <close> = io.open("/proc/self/status")
  return tonumber(string.match(file:read("a"), "VmRSS:%s+(%d+) kB"))
end

local function measure_time()
  tutti.print(string.format("start and end %.2f us", best(2000, function()
    for _ = 1, 20 do
      for _ = 1, 100 do tutti.task(nothing) end
      tutti.sleep(0)
    end
  end)))
  tutti.print(string.format("start, wait and end %.2f us", best(1000, function()
    for _ = 1, 1000 do tutti.task(nothing):wait() end
  end)))
end

tutti.scenario("tasks", function(worker)
  if worker.id == 0 then measure_time() end
  worker:barrier("measured")
  local lua_kb, all_kb = collectgarbage("count"), resident_kb()
  worker:barrier("begin")
  for _ = 1, TASKS do tutti.task(waits) end
  tutti.sleep(3)
  if worker.id == 0 then
    collectgarbage()
    local count = worker.count * TASKS
    tutti.print(string.format("a task that waits: %.2f kB, %.2f kB of it Lua's", (resident_kb() - all_kb) / count,
      (collectgarbage("count") - lua_kb) / count))
  end
  tutti.sleep(1)
end)
