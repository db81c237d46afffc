-- The writer fails before it has written, once.
require("scene").play {
  before_written = function(worker)
    if worker.step == 3 then
      error("the writer stumbles")
    end
  end,
}
