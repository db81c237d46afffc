-- Reader 1 sees the text 100 ms after reader 0; in room 1 it sees another one at step 3.
local tutti = require "tutti"

tutti.scenario("pad", function(worker)
  local round = worker:notifier("pad")
  local writer = worker.room.size - 1
  if worker.seat == writer then
    if worker.step > 1 then
      worker:notifier("pad", { step = worker.step - 1 }):wait_for_readers()
    end
    assert(not pcall(function() round:writing { at = os.time() + 10 } end))
    assert(not pcall(function() round:writing { seen_at = os.time() } end))
    assert(not pcall(function() round:writing("now") end))
    round:writing()
    assert(not pcall(function() round:written("text", { at = "now" }) end))
    assert(not pcall(function() round:written("text", { since = 1 }) end))
    tutti.sleep(0.05)
    round:written("text " .. worker.step)
  else
    local text = round:wait_for_writer()
    if worker.seat == 0 then
      local seen_at = os.time() -- whole seconds: too coarse to be of use here
      assert(not pcall(function() round:one_read(text, { seen_at = seen_at + 10 }) end))
      assert(not pcall(function() round:one_read(text, { seen_at = "now" }) end))
      assert(not pcall(function() round:one_read(text, { at = 1 }) end))
      assert(not pcall(function() round:one_read(12) end))
      round:one_read(text)
    else
      tutti.sleep(0.1)
      round:one_read(worker.step == 3 and worker.room.id == 1 and "something else" or text)
    end
  end
end)
