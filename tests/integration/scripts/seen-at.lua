-- A reader whose page had the text 0.1 s before it says so. Needs --allow-system, to read the host's clock as a browser does.
local tutti = require "tutti"

local function wall()
  local pipe = io.popen("date +%s.%N")
  local seconds = tonumber(pipe:read("l"))
  pipe:close()
  return seconds
end

tutti.scenario("pad", function(worker)
  local round = worker:notifier("pad")
  if worker.id == 1 then
    round:writing()
    tutti.sleep(0.3)
    round:written()
  else
    round:wait_for_writer()
    local seen_at = wall()
    tutti.sleep(0.2)
    round:one_read { seen_at = seen_at }
  end
end)
