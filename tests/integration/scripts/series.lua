-- One worker of each room writes, the others read; each step takes about 50 ms.
local tutti = require "tutti"
local http = require "tutti.http"

tutti.scenario("pad", function(worker)
  local pad = tutti.target .. "/pad/series-" .. worker.room.id
  local round = worker:notifier("pad")
  if worker.seat ~= worker.room.size - 1 then
    round:wait_for_writer()
    tutti.group("reading", function()
      http.get(pad, { name = "read", tags = { who = "reader", seat = worker.seat } })
      round:one_read()
    end)
  else
    tutti.sleep(0.05)
    http.put(pad, "step " .. worker.step, { name = "write" })
    round:written()
    round:wait_for_readers()
    http.get(tutti.target .. "/no-such-page", { name = "failing", tags = { who = "writer" } })
    tutti.check(worker.step % 2, "even", 0)
  end
end)
