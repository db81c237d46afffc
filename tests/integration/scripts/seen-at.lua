-- A writer whose page had the text 0.3 s before it says so, at step 2 with written(); a reader whose page had it 0.2 s before. Needs --allow-system, to read the host's clock as a browser does.
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
    local at = wall()
    tutti.sleep(0.3)
    if worker.step == 1 then round:writing { at = at } end
    round:written(nil, { at = worker.step > 1 and at or nil })
  else
    round:wait_for_writer()
    local seen_at = wall()
    tutti.sleep(0.2)
    round:one_read { seen_at = seen_at }
  end
end)
