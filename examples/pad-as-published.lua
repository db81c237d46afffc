-- The scene of pad.lua as an article about Molotov published it, with its mistake: it shows how tutti reports it.
--
--   tutti run examples/pad-as-published.lua
--
-- Step 1 works. In step 2 the writer waits for the readers of this same step, which wait for the writer: in Molotov
-- all five wait forever, with no message. tutti detects the deadlock, says which worker waits for what, and ends with
-- exit code 1. `worker.step - 1` in the marked line fixes it.
local tutti = require "tutti"
local http = require "tutti.http"

tutti.options { workers = 5, runs = 3, target = "builtin" } -- the command line overrides these

tutti.scenario("example", function(worker)
  local pad = tutti.target .. "/pad/published"
  local notifier = worker:notifier("notifier")

  if worker.id ~= 4 then
    -- I am NOT worker 4! I read the pad

    -- wait for worker 4 to edit the pad
    notifier:wait_for_writer()
    http.get(pad)

    -- notify that we've read it
    notifier:one_read()
  else
    -- I am worker 4! I write in the pad
    if worker.step > 1 then
      -- waiting for the previous readers to have finished before we start a new round
      local previous_notifier = worker:notifier("notifier", { step = worker.step }) -- the mistake
      previous_notifier:wait_for_readers()
    end

    http.put(pad, "step " .. worker.step)

    -- informs that the write task was done
    notifier:written()
  end
end)
