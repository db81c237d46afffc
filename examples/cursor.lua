-- Cursors that everybody in a room sees: each worker moves its own 30 times a second for a second, and shows those of the
-- others, of which only the latest position counts. In each round one of them is watched: how long the others still show
-- an old position after it has come to rest is in the report under "edit → seen", whichever hosts they are on, and that
-- all end with the same picture is checked. "next movement" is how long a picture stands still.
--
--   tutti run examples/cursor.lua --target builtin
--   tutti run examples/cursor.lua --target builtin --workers 50 --runs 10 --agents 4
local tutti = require "tutti"
local websocket = require "tutti.websocket"

tutti.options { workers = 10, room_size = 5, runs = 5 }

local MOVEMENTS, EACH_S = 30, 1 / 30

tutti.setup_session(function(worker)
  worker.cursors = websocket.connect("/ws/chat/cursors-" .. worker.room.id, { name = "cursors" })
end)

-- On a circle of its own; `watched` is the round of the last position, where there is one.
local function move(worker, watched)
  local due = tutti.now()
  for number = 1, MOVEMENTS do
    local angle = 2 * math.pi * number / MOVEMENTS
    local x, y = 100 * worker.seat + math.floor(50 * math.cos(angle)), math.floor(50 * math.sin(angle))
    local position = ("%d %d %d at %d,%d"):format(worker.seat, worker.step, number, x, y)
    local at = worker.cursors:send(position)
    if watched and number == MOVEMENTS then
      watched:written(position, { at = at })
    end
    due = due + EACH_S
    tutti.sleep(math.max(0, due - tutti.now()))
  end
end

tutti.scenario("move", function(worker)
  local round = worker:notifier("cursor")
  local watched = worker.step % worker.room.size
  worker:barrier("all are in")
  local moving = tutti.task(function()
    move(worker, watched == worker.seat and round)
  end)

  local latest, resting = {}, 0 -- the number of the position that is shown, by seat
  while resting < worker.room.size do
    local position, _, at = tutti.time("next movement", worker.cursors.receive, worker.cursors, { timeout = 10 })
    local seat, step, number = position:match("^(%d+) (%d+) (%d+) at ")
    seat, number = tonumber(seat), tonumber(number)
    assert(tonumber(step) == worker.step, "of another round: " .. position)
    if number > (latest[seat] or 0) then -- what is older than what is shown is never shown
      latest[seat] = number
    end
    if number == MOVEMENTS then
      resting = resting + 1
      if seat == watched and seat ~= worker.seat then
        round:one_read(position, { seen_at = at })
      end
    end
  end
  moving:wait()
  worker:barrier("all have seen")
end)
