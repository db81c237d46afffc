-- Everything takes a time that is known: a page 50 ms, a pause 80 ms, an edit 60 ms until it is written; a reader
-- waits 180 ms and more for it; worker 1 is at the barrier 150 ms after the others.
local tutti = require "tutti"
local http = require "tutti.http"

local LAST = 4 -- at the step after, everybody rests, so that live numbers stand still

tutti.scenario("known", function(worker)
  if worker.step > LAST then
    tutti.sleep(60)
  end
  assert(#http.get(tutti.target .. "/page", { name = "page" }).body == 10000)
  tutti.time("pause", function() tutti.sleep(0.08) end)
  worker:barrier("begin", { at_once = true })
  local pad = worker:notifier("pad")
  if worker.id == 0 then
    pcall(http.get, "http://127.0.0.1:1/", { name = "dead" })
    tutti.sleep(0.12)
    pad:writing()
    tutti.sleep(0.06)
    pad:written("text")
    pad:wait_for_readers()
  else
    pad:one_read(pad:wait_for_writer())
  end
  if worker.id == 1 then
    tutti.sleep(0.15)
  end
  worker:barrier("end")
  if worker.id == 2 and worker.step % 2 == 0 then
    error("known to fail")
  end
end)
