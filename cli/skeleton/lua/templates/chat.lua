-- A chat on WebSockets: in each step everybody in a room says something, and everybody hears all of it.
-- Try it: tutti run loadtest.lua --target builtin
local tutti = require "tutti"
local websocket = require "tutti.websocket"

tutti.options { workers = 20, room_size = 5, runs = 5 }

-- Once for each worker: the connection lives as long as its session, and is closed at the end of it.
tutti.setup_session(function(worker)
  worker.chat = websocket.connect("/ws/chat/" .. worker.room.id, { name = "chat" })
end)

tutti.scenario("talk", function(worker)
  worker:barrier("all are in") -- else the first would speak to an empty room
  worker.chat:send(("%d says hello in step %d"):format(worker.id, worker.step))

  local heard = {}
  for _ = 1, worker.room.size do
    local message = worker.chat:receive { timeout = 10 }
    local author, step = message:match("^(%d+) says hello in step (%d+)$")
    assert(tonumber(step) == worker.step, "of another step: " .. message)
    assert(not heard[author], "heard twice: " .. message)
    heard[author] = true
  end
  worker:barrier("all have heard")
end)
