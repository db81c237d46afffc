-- Readers with browsers of two kinds, by what their sightings say; the last of them finds what was already there.
local tutti = require "tutti"

tutti.scenario("sight", function(worker)
  worker:barrier("start")
  local round = worker:notifier("pad")
  if worker.seat == 0 then
    round:written("text")
    return
  end
  round:wait_for_writer()
  tutti.sleep(worker.seat == 2 and 0.2 or 0.02)
  local sighting = {
    seen_at = tutti.now(), at_once = worker.seat == 3, polled = false, waited = 0.02,
    browser = worker.seat == 1 and "firefox" or "chromium",
  }
  if worker.seat == 3 then tutti.sleep(0.5) end
  round:one_read("text", sighting)
end)
