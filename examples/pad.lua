-- Five users share a page. In each step one of them writes. The other four wait until it has written, and check that
-- they see the text. The next write starts only after all four have checked.
--
--   tutti run examples/pad.lua
--   tutti run examples/pad.lua -w 500 -r 20 --room-size 5 --agents 4     (100 pads at once)
local tutti = require "tutti"
local http = require "tutti.http"

tutti.options { workers = 5, runs = 10, target = "builtin" } -- the command line overrides these

tutti.scenario("pad", function(worker)
  local pad = tutti.target .. "/pad/room-" .. worker.room.id -- each room has a page of its own
  local round = worker:notifier("pad") -- where the workers of this room meet in this step
  local writer = worker.room.size - 1 -- the last seat writes

  if worker.seat ~= writer then
    local text = round:wait_for_writer() -- the text that was written comes with it
    local page = http.get(pad, { name = "read the pad" })
    assert(page.status == 200, "the pad answered " .. page.status)
    assert(page.body == text, "the pad shows another text: " .. page.body)
    round:one_read()
  else
    if worker.step > 1 then -- no worker is still reading the last text
      worker:notifier("pad", { step = worker.step - 1 }):wait_for_readers()
    end
    local text = "what worker " .. worker.id .. " has to say in step " .. worker.step
    local answer = http.put(pad, text, { name = "write the pad" })
    assert(answer.status < 300, "the pad answered " .. answer.status)
    round:written(text)
  end
end)
