-- What a task costs: the time from its start to its end, and the memory of one that waits, Lua's and the agent's.
local tutti = require "tutti"
local now = tutti.now
local ROUNDS, TIMES = 1000, 100

local function nothing() end
local function waits() tutti.sleep(60) end

local function resident()
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^VmRSS:%s+(%d+)")
    if kb then return tonumber(kb) * 1024 end
  end
end

tutti.scenario("a start and end", function(worker)
  if worker.id ~= 0 then return end
  local best = math.huge
  for _ = 1, 20 do
    local began = now()
    for _ = 1, ROUNDS do
      for _ = 1, TIMES do tutti.task(nothing) end
      tutti.sleep(0)
    end
    best = math.min(best, (now() - began) / (ROUNDS * TIMES))
  end
  tutti.print(string.format("start and end %.2f us", best * 1e6))
end)

tutti.scenario("b memory", function(worker)
  for _ = 1, TIMES do tutti.task(waits) end
  tutti.sleep(3)
  collectgarbage()
  if worker.id == 0 then
    local with, held = collectgarbage("count"), resident()
    tutti.print(string.format("with %d tasks %.0f kB of Lua, %.0f kB resident", worker.count * TIMES, with, held / 1024))
  end
  tutti.sleep(1)
end)
