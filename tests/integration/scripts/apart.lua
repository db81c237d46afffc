-- Two campaigns of this at once must not meet: names are the same, the target tells whose a value is.
local tutti = require "tutti"
tutti.scenario("apart", function(worker)
  local mine = tutti.target
  worker:barrier("round") -- as many as this campaign has, no more and no less
  local sum = tutti.incr("round " .. worker.step)
  assert(sum <= worker.room.size, "others have counted too: " .. sum)
  local owner = tutti.get_var("owner", function() return mine end)
  assert(owner == mine, "the variable is that of " .. owner)
  local pad = worker:notifier("pad")
  if worker.seat == 0 then
    pad:written(mine)
  else
    local text = pad:wait_for_writer()
    assert(text == mine, "the text is that of " .. text)
    pad:one_read()
  end
  tutti.sleep(0.02)
end)
