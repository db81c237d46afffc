-- The writer takes its time before it writes, so that its agent can be lost meanwhile.
local tutti = require "tutti"
require("scene").play {
  writer = 0,
  before_written = function(worker)
    tutti.print("worker " .. worker.id .. " is about to write in step " .. worker.step)
    tutti.sleep(0.1)
  end,
}
