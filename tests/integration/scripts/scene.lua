-- The scene of the pad on a variable, with places where a story may interfere.
local tutti = require "tutti"

local scene = {}

local function nothing() end

-- story: before_read(worker), after_read(worker), before_written(worker); writer: the seat that writes
function scene.play(story)
  local before_read = story.before_read or nothing
  local after_read = story.after_read or nothing
  local before_written = story.before_written or nothing

  tutti.scenario("pad", function(worker)
    local round = worker:notifier("pad")
    if worker.seat ~= (story.writer or worker.room.size - 1) then
      local text = round:wait_for_writer()
      before_read(worker)
      assert(text == "step " .. worker.step, "a payload of another step")
      assert(worker:get_var("page") == text, "a page of another step")
      round:one_read()
      after_read(worker)
    else
      if worker.step > 1 then
        worker:notifier("pad", { step = worker.step - 1 }):wait_for_readers()
      end
      before_written(worker)
      local text = "step " .. worker.step
      worker:set_var("page", text)
      round:written(text)
    end
  end)
end

return scene
