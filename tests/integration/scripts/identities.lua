-- Every worker of the campaign has an id of its own, and a factory runs once in all of it.
local tutti = require "tutti"
tutti.scenario("who", function(worker)
  assert(tutti.incr("worker " .. worker.id) == worker.step, "this id exists twice")
  tutti.get_var("made", function()
    tutti.incr("factory runs")
    tutti.sleep(0.05)
    return "once"
  end)
  assert(tutti.get_var("made") == "once")
  assert(tutti.get_var("factory runs") == 1, "the factory ran more than once")
end)
