-- Messages of 100 bytes there and back as fast as the workers can, or connections that stay open and say nothing.
local tutti = require "tutti"
local websocket = require "tutti.websocket"
local options = { tls = { verify = false }, timeout = 120 }
local url = tutti.target:gsub("^http", "ws")
local text = ("x"):rep(100)
local ECHOES = 100

tutti.scenario("echo", function(worker)
  worker.ws = worker.ws or websocket.connect(url, options)
  local ws = worker.ws
  for _ = 1, ECHOES do
    ws:send(text)
    if ws:receive() ~= text then error("another text") end
  end
end)

-- One address has not enough ports for tens of thousands: they share eight.
tutti.scenario("held", function(worker)
  tutti.sleep(worker.id / tonumber(os.getenv("BENCH_PER_S")))
  worker.ws = websocket.connect(url:gsub("127%.0%.0%.1", "127.0.0." .. (1 + worker.id % 8)), options)
  tutti.sleep(3600)
end)
