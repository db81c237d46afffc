-- One reader fails before it has read, once.
require("scene").play {
  before_read = function(worker)
    if worker.id == 1 and worker.step == 3 then
      error("reader 1 stumbles")
    end
  end,
}
