-- A chat on Socket.IO: rooms of ten, everybody says something in each round, which the server acknowledges, and
-- everybody hears all of it, once and in the order in which its author said it.
--
--   tutti run examples/socketio.lua --target builtin
local tutti = require "tutti"
local socketio = require "tutti.socketio"

tutti.options { workers = 30, room_size = 10, runs = 5 }

local SAID_IN_A_ROUND = 3

tutti.setup_session(function(worker)
  -- The connection lives as long as the worker; what comes while the script does something else waits in its queue.
  worker.io = socketio.connect("/", { name = "chat" })
  worker.io:emit("join", worker.room.id, { ack = true })
end)

tutti.scenario("talk", function(worker)
  local members = worker.room.size
  worker:barrier("all are in")
  for number = 1, SAID_IN_A_ROUND do
    local message = { author = worker.id, step = worker.step, number = number }
    local reached = worker.io:emit("say", message, { ack = true, timeout = 10 })
    assert(reached == members, reached .. " of " .. members .. " were reached")
  end

  local heard = {} -- by author: the number of what was heard last
  for _ = 1, members * SAID_IN_A_ROUND do
    local message = worker.io:once("said", 10)
    assert(message.step == worker.step, "of another round")
    assert(message.number == (heard[message.author] or 0) + 1, "lost, twice, or out of order")
    heard[message.author] = message.number
  end
  worker:barrier("all have heard")
end)

tutti.teardown_session(function(worker)
  worker.io:disconnect()
end)
