-- Reader 0 reports twice at once, reader 1 late: the writer must not take the one for the other.
local tutti = require "tutti"

tutti.scenario("pad", function(worker)
  local round = worker:notifier("pad")
  if worker.id == worker.count - 1 then
    round:written("text")
    local read, readers = round:wait_for_readers()
    assert(read == worker.count - 1 and readers == read, "read by " .. read .. " of " .. readers)
    assert(worker:get_var("late " .. worker.step) == true, "released before the late reader had read")
  else
    round:wait_for_writer()
    if worker.id == 1 then
      tutti.sleep(0.1)
      worker:set_var("late " .. worker.step, true)
    end
    round:one_read()
    if worker.id == 0 then
      round:one_read()
    end
  end
end)
