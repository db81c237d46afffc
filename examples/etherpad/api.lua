-- The scene on a real Etherpad through its HTTP API, so that hundreds of workers need no browser. In each room of five one worker
-- writes; the others wait until it has written, and check that the pad shows exactly that text.
--
--   examples/etherpad/start.sh                  (prints its address, here http://127.0.0.1:9001)
--   tutti run examples/etherpad/api.lua --target http://127.0.0.1:9001
--   tutti run examples/etherpad/api.lua -w 200 -r 20 --agents 4 --target http://127.0.0.1:9001
local tutti = require "tutti"
local etherpad = require "etherpad"

tutti.options { workers = 5, runs = 10, room_size = 5 }

tutti.scenario("etherpad", function(worker)
  local pad = etherpad.pad_of(worker)
  local round = worker:notifier("etherpad")
  local writer = worker.room.size - 1

  if worker.seat ~= writer then
    local text = round:wait_for_writer()
    local shown = etherpad.call("getText", { padID = pad }).text
    assert(shown == text .. "\n", "the pad shows another text: " .. shown) -- a pad always ends with a newline
    round:one_read(text) -- the report says how long after the edit this was, and whether all saw the same
  else
    if worker.step > 1 then
      worker:notifier("etherpad", { step = worker.step - 1 }):wait_for_readers()
    end
    local text = ("Worker %d writes step %d of %s: grüße & 100 %%"):format(worker.id, worker.step, pad)
    round:writing()
    etherpad.call("setText", { padID = pad, text = text })
    round:written(text)
  end
end)
