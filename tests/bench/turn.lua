-- A notifier turn: from written() until the last of all readers runs on. The clock is one: all agents are on this host.
-- TURN_PAUSE: seconds of rest before each turn, so that it does not begin in the wake of the last one.
local tutti = require "tutti"
local now = tutti.now
local pause = tonumber(os.getenv("TURN_PAUSE"))

-- By step: when the last reader of this shard went on, and when it was written. Readers do nothing more than
-- look at the clock before the others have their turn.
local latest, written = {}, {}

tutti.scenario("turn", function(worker)
  local round = worker:notifier("turn")
  local step = worker.step
  if worker.id ~= worker.count - 1 then
    local written_at = round:wait_for_writer()
    latest[step] = now()
    round:one_read()
    written[step] = written_at
  else
    if step > 1 then
      worker:notifier("turn", { step = step - 1 }):wait_for_readers()
      if pause then tutti.sleep(pause) end
    end
    round:written(now())
  end
end)

tutti.teardown(function()
  for step, at in pairs(latest) do
    tutti.print(string.format("turn %d %.1f", step, (at - written[step]) * 1e6))
  end
  latest = {}
end)
