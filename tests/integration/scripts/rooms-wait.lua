-- Four rooms of five: one at a barrier, one without a writer, one without readers, one that does nothing together.
local tutti = require "tutti"
tutti.scenario("wait", function(worker)
  local last = worker.seat == 4
  local pad = worker.room.id < 3 and worker:notifier("pad")
  if worker.room.id == 0 and not last then
    worker:barrier("go")
  elseif worker.room.id == 1 and not last then
    pad:wait_for_writer()
  elseif worker.room.id == 2 and last then
    pad:written("text")
    pad:wait_for_readers()
  elseif worker.room.id == 2 and worker.seat == 0 then
    pad:one_read()
  end
  tutti.sleep(600)
end)
