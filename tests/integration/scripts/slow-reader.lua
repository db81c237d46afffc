-- One reader is slow in every step.
local tutti = require "tutti"
require("scene").play {
  before_read = function(worker)
    if worker.seat == 0 then
      tutti.sleep(0.05)
    end
  end,
}
