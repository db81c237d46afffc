-- A shared pad: in each step one worker of a room writes, and all the others read what it wrote.
-- Try it: tutti run loadtest.lua --target builtin
local tutti = require "tutti"
local http = require "tutti.http"

-- Two rooms of five. The rooms know nothing of each other.
tutti.options { workers = 10, room_size = 5, runs = 10 }

tutti.scenario("pad", function(worker)
  local pad = "/pad/" .. worker.room.id
  local round = worker:notifier("pad") -- where the workers of the room meet in this step

  if worker.seat == 0 then
    if worker.step > 1 then -- nobody is still reading the last text
      worker:notifier("pad", { step = worker.step - 1 }):wait_for_readers()
    end
    local text = "step " .. worker.step .. " of room " .. worker.room.id
    round:writing() -- the clock of edit → seen starts here
    http.put(pad, text, { name = "write" })
    round:written(text)
  else
    local text = round:wait_for_writer() -- ends with an error if the writer fails: nobody waits for ever
    local page = http.get(pad, { name = "read" })
    assert(page.body == text, "saw another text: " .. page.body)
    round:one_read(page.body)
  end
end)
