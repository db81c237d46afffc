-- The scene with users that speak Etherpad's own protocol, over Socket.IO: hundreds of them need no browser, and yet write into the
-- pads at the same time and merge what they write, as browsers do. Five share a pad. All write a line, all wait until they see the
-- lines of the others, and in the end of each step all have the server's text.
--
--   examples/etherpad/start.sh                  (prints its address, here http://127.0.0.1:9001)
--   tutti run examples/etherpad/socketio.lua --target http://127.0.0.1:9001
--   tutti run examples/etherpad/socketio.lua -w 500 -r 10 --agents 2 --target http://127.0.0.1:9001             (100 pads)
local tutti = require "tutti"
local etherpad = require "etherpad"
local pad_user = require "pad_user"
local scene = require "scene"

tutti.options { workers = 5, runs = 10, room_size = 5 }

tutti.setup_session(function(worker)
  worker.user = pad_user.join(etherpad.pad_of(worker))
end)

tutti.scenario("etherpad", function(worker)
  scene.play(worker, worker.user)
end)

tutti.teardown_session(function(worker)
  if worker.user then worker.user:leave() end
end)
