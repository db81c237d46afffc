-- One user's Socket.IO connection to Etherpad: messages are Lua tables. Etherpad 1.8 speaks Engine.IO 3, where the client pings.
local json = require "tutti.json"
local tutti = require "tutti"
local websocket = require "tutti.websocket"

local channel = {}
channel.__index = channel

local EVENT = "42" -- a message of Engine.IO that is an event of Socket.IO
local QUEUE = 10000 -- messages while the worker does something else; none may be lost

--- Connects for a pad.
function channel.open(pad, timeout)
  local ws = websocket.connect("/socket.io/", {
    query = { EIO = 3, transport = "websocket", padId = pad },
    name = "pad", timeout = timeout, queue = QUEUE, on_full = "close", max_message = 16 << 20,
  })
  local greeting = ws:receive { timeout = timeout }
  local interval = json.decode(greeting:sub(2)).pingInterval / 1000
  ws:receive_until(function(packet) return packet == "40" end, { timeout = timeout })
  local pulse = tutti.task({ keep = true }, function()
    while ws.state == "open" do
      tutti.sleep(interval)
      if not pcall(ws.send, ws, "2") then return end
    end
  end)
  return setmetatable({ ws = ws, pulse = pulse }, channel)
end

--- Sends a message, and returns when it left.
function channel:send(message)
  return self.ws:send(EVENT .. json.encode { "message", message })
end

--- Returns the next message and when it came; nil if none came within `timeout` seconds. Raises an error of kind `closed`.
function channel:receive(timeout)
  local due = tutti.now() + timeout
  repeat
    local ok, packet, _, at = pcall(self.ws.receive, self.ws, { timeout = math.max(due - tutti.now(), 0.001) })
    if not ok then
      if packet.outcome == "timeout" then return nil end
      error(packet, 0)
    end
    if packet:sub(1, 2) == EVENT then return json.decode(packet:sub(3))[2], at end
  until false
end

function channel:close()
  self.pulse:cancel()
  self.ws:close()
end

return channel
