-- A notifier turn: from written() until the last of all readers runs on. The clock is one: all agents are on this host.
local tutti = require "tutti"

local latest = {} -- by step: the longest that a reader of this shard had to wait since written()

tutti.scenario("turn", function(worker)
  local round = worker:notifier("turn")
  if worker.id ~= worker.count - 1 then
    local written_at = round:wait_for_writer()
    local late = tutti.now() - written_at
    latest[worker.step] = math.max(latest[worker.step] or 0, late)
    round:one_read()
  else
    if worker.step > 1 then
      worker:notifier("turn", { step = worker.step - 1 }):wait_for_readers()
      tutti.sleep(0.002) -- so that a turn does not begin in the wake of the last one
    end
    round:written(tutti.now())
  end
end)

tutti.teardown(function()
  for step, late in pairs(latest) do
    tutti.print(string.format("turn %d %.1f", step, late * 1e6))
  end
  latest = {}
end)
