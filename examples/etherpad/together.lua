-- The scene of socketio.lua with real browsers among the users: in each of the first five pads one of the five is a browser.
--
--   examples/etherpad/start.sh                  (prints its address, here http://127.0.0.1:9001)
--   tutti run examples/etherpad/together.lua --target http://127.0.0.1:9001
--   tutti run examples/etherpad/together.lua -w 505 --agents 2 --target http://127.0.0.1:9001     (500 users and 5 browsers)
local tutti = require "tutti"
local browser_user = require "browser_user"
local etherpad = require "etherpad"
local pad_user = require "pad_user"
local scene = require "scene"

local BROWSERS = 5

tutti.options { workers = 25, runs = 5, room_size = 5, setup_timeout = "3m" }

tutti.setup_session(function(worker)
  local has_browser = worker.seat == 0 and worker.room.id < BROWSERS
  worker.user = (has_browser and browser_user or pad_user).join(etherpad.pad_of(worker))
end)

tutti.scenario("etherpad", function(worker)
  scene.play(worker, worker.user)
end)

tutti.teardown_session(function(worker)
  if worker.user then worker.user:leave() end
end)
