-- A chat on WebSockets: rooms of ten, everybody says something in each round, and everybody hears all of it, once and in
-- the order in which its author said it.
--
--   tutti run examples/chat.lua --target builtin
--   tutti run examples/chat.lua --target builtin --workers 100 --runs 20 --agents 4
local tutti = require "tutti"
local websocket = require "tutti.websocket"

tutti.options { workers = 30, room_size = 10, runs = 5 }

local SAID_IN_A_ROUND = 3

tutti.setup_session(function(worker)
  -- The connection lives as long as the worker; it is closed with a close frame when its session ends.
  worker.chat = websocket.connect("/ws/chat/" .. worker.room.id, { name = "chat" })
end)

tutti.scenario("talk", function(worker)
  local members = worker.room.size
  worker:barrier("all are in")
  for number = 1, SAID_IN_A_ROUND do
    worker.chat:send(("%d %d %d"):format(worker.id, worker.step, number))
  end

  local heard = {} -- by author: the number of what was heard last
  for _ = 1, members * SAID_IN_A_ROUND do
    local message = worker.chat:receive { timeout = 10 }
    local author, step, number = message:match("^(%d+) (%d+) (%d+)$")
    assert(tonumber(step) == worker.step, "of another round: " .. message)
    assert(tonumber(number) == (heard[author] or 0) + 1, "lost, twice, or out of order: " .. message)
    heard[author] = tonumber(number)
  end
  local authors = 0
  for _ in pairs(heard) do
    authors = authors + 1
  end
  assert(authors == members, authors .. " of " .. members .. " were heard")
  worker:barrier("all have heard")
end)
