-- A reader that reports for a step that is over.
local tutti = require "tutti"
require("scene").play {
  before_read = function(worker)
    if worker.id == 0 and worker.step == 2 then
      worker:notifier("pad", { step = 1 }):one_read()
    end
  end,
}
