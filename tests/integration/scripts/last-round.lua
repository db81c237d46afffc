-- Readers look at the last text for a while: until then the writer's session has to stay open.
local tutti = require "tutti"
tutti.teardown_session(function(worker)
  if worker.id == worker.count - 1 then
    worker:set_var("writer has closed", true)
  end
end)
require("scene").play {
  after_read = function(worker)
    tutti.sleep(0.3)
    assert(worker:get_var("writer has closed") == nil, "the writer's session closed before its text was seen")
  end,
}
