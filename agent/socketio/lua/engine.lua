-- One Engine.IO session: its handshake, its transport (WebSocket or polling), heartbeats, and its end. One task at a
-- time reads; what several tasks send goes out one after the other.
local import, native = ...
local codec = import "engine_codec"
local errors = import "errors"
local http = import "http"
local tutti = import "tutti"
local url = import "url"
local websocket = import "websocket"
local engine = {}

-- A payload of polling is sent in pieces of at most so much, unless the server names less.
local PAYLOAD_BYTES = 1000000
-- The server may let the answer to a poll wait until its next heartbeat; a little more for the way.
local GRACE_S = 5
-- So much is read in a row, each message counted with so much at least; then others have their turn.
local BYTES_AT_ONCE, MESSAGE_BYTES = 1 << 20, 2000

local Engine = {}
Engine.__index = Engine

-- Held by the task that polls: two polls at once end a session.
local Poll = {
  __close = function(held)
    held.engine.is_polling = false
    native.give(held.engine.signal)
  end,
}

-- The parameters of a request of this session.
function Engine:query(transport)
  local query = {}
  for name, value in next, self.options.query do query[name] = value end
  query.EIO, query.transport, query.sid = self.version, transport, self.sid
  if self.version == 3 and transport == "polling" then query.b64 = 1 end
  return query
end

function Engine:fail(reason, why)
  if self.reason then return end
  self.reason, self.why = reason, why
  local ws = self.ws
  -- To wait for the server's close frame is no concern of the task that has found this out.
  if ws and ws.state == "open" then pcall(tutti.task, { keep = true }, function() pcall(ws.close, ws) end) end
  native.give(self.signal)
end

-- Anything of the server shows that it lives.
function Engine:note_life()
  local now = tutti.now()
  self.dead_at = now + self.interval + self.timeout
  if self.version == 3 and self.is_pinged then
    self.is_pinged = false
    self.ping_at = now + self.interval
  end
end

function Engine:begin(open)
  self.sid, self.interval, self.timeout = open.sid, open.interval, open.timeout
  self.max_payload = math.min(open.max_payload or PAYLOAD_BYTES, PAYLOAD_BYTES)
  self.ping_at = tutti.now() + self.interval
  self:note_life()
end

-- WebSocket

function Engine:connect_websocket()
  local options = self.options
  return websocket.connect(options.websocket_url, {
    headers = options.headers, tls = options.tls, proxy = options.proxy, base = options.base, name = options.name,
    timeout = options.timeout, max_message = options.max_message, compress = options.compress, on_full = "close",
    queue = options.frames, query = self:query("websocket"),
  })
end

function Engine:open_websocket()
  local options = self.options
  local ws = self:connect_websocket()
  local ok, text = pcall(ws.receive, ws, { timeout = options.timeout })
  if not ok then
    errors.pass_stopped(text)
    ws:close()
    errors.raise("protocol", options.what, "the server has not opened the session: %s", errors.text(text))
  end
  local open, why = codec.decode_open(text)
  if not open then
    ws:close(1002)
    errors.raise("protocol", options.what, "this is no Engine.IO: %s", why)
  end
  self.ws = ws
  self:begin(open)
end

-- Polling

function Engine:request(method, body, timeout)
  local options = self.options
  local is_post = method == "POST"
  return http.request(method, options.http_url, body, {
    headers = is_post and options.post_headers or options.headers, tls = options.tls, proxy = options.proxy,
    base = options.base, name = options.name .. (is_post and " (post)" or " (poll)"), timeout = timeout,
    max_body = options.max_message, query = self:query("polling"),
  })
end

local function explain(answer)
  return string.format("it answers %d %s", answer.status, string.gsub(string.sub(answer.body, 1, 100), "[%c\128-\255]", "?"))
end

function Engine:open_polling()
  local options = self.options
  local answer = self:request("GET", nil, options.timeout)
  if answer.status ~= 200 then
    errors.raise_upgrade(options.what, answer.status, explain(answer))
  end
  local list, why = codec.decode_payload(self.version, answer.body)
  local open
  if list then open, why = codec.decode_open(list[1].text or "") end
  if not open then errors.raise("protocol", options.what, "this is no Engine.IO: %s", why) end
  table.remove(list, 1)
  self.inbox, self.inbox_at, self.at = list, 1, tutti.now()
  self:begin(open)
  if options.transports.websocket and open.upgrades.websocket then self:upgrade() end
  if not self.ws and self.version == 3 then self:ping_polling() end
end

-- Goes on by WebSocket, if the server agrees; else polling stays.
function Engine:upgrade()
  local connected, ws = pcall(self.connect_websocket, self)
  if not connected then
    errors.pass_stopped(ws)
    return
  end
  local ok, text = pcall(function()
    ws:send("2probe")
    return ws:receive()
  end)
  if not ok then errors.pass_stopped(text) end
  if ok and text == "3probe" then
    ws:send("5")
    self.ws = ws
  else
    ws:close()
  end
end

-- A poll cannot be broken off, so version 3 pings from a task of its own.
function Engine:ping_polling()
  tutti.task({ keep = true }, function()
    while not self.reason do
      tutti.sleep(self.interval)
      if not self.reason then pcall(self.send, self, { { text = "2" } }) end
    end
  end)
end

function Engine:poll()
  if self.is_polling then return native.await(self.signal, native.changes(self.signal)) end
  self.is_polling = true
  local held <close> = setmetatable({ engine = self }, Poll)
  local ok, answer = pcall(self.request, self, "GET", nil, self.interval + self.timeout + GRACE_S)
  if self.reason then return end
  if not ok then
    -- To the server, a poll that is broken off is the end.
    if errors.is_stopped(answer) then self:fail("transport close", "the stop of the campaign has broken off a poll") end
    errors.pass_stopped(answer)
    if errors.kind(answer) == "timeout" then return self:fail("ping timeout", "the server does not answer polls") end
    return self:fail("transport error", errors.text(answer))
  end
  if answer.status ~= 200 then return self:fail("transport error", explain(answer)) end
  local list, why = codec.decode_payload(self.version, answer.body)
  if not list then return self:fail("parse error", why) end
  self.inbox, self.inbox_at, self.at = list, 1, tutti.now()
end

-- Reading

-- What is no message; true if it was one of these.
function Engine:take_control(kind, text)
  if kind == "2" then
    if self.version == 4 then self:send { { text = "3" .. string.sub(text, 2) } } end
  elseif kind == "1" then
    self:fail("transport close", "the server has closed the session")
  elseif kind ~= "3" and kind ~= "6" then
    return false
  end
  return true
end

-- A packet of the transport: the text of a message, or nil and the bytes of a binary one; nil for another one.
function Engine:take(text, bytes)
  self:note_life()
  if bytes then
    if self.ws and self.version == 3 then
      if string.byte(bytes) ~= 4 then return self:fail("parse error", "a binary packet that is no message") end
      bytes = string.sub(bytes, 2)
    end
    return nil, bytes
  end
  local kind = string.sub(text, 1, 1)
  if kind == "4" then return string.sub(text, 2) end
  if not self:take_control(kind, text) then self:fail("parse error", "a packet of an unknown type") end
end

-- Until when the next packet of the WebSocket is awaited.
function Engine:patience(due)
  local at = self.dead_at
  if self.version == 3 and not self.is_pinged then at = math.min(at, self.ping_at) end
  return math.min(at, due or at)
end

function Engine:read_websocket(due)
  local now, at = tutti.now(), self:patience(due)
  local ok, message, kind, when = pcall(self.ws.receive, self.ws, { timeout = math.max(at - now, 0.001) })
  if ok then
    self.at = when
    if kind == "text" then return self:take(message) end
    return self:take(nil, message)
  end
  errors.pass_stopped(message)
  kind = errors.kind(message)
  if kind == "closed" then
    local code = self.ws.close_code
    return self:fail(code == 1006 and "transport error" or "transport close", errors.text(message))
  end
  if kind ~= "timeout" then error(message, 0) end
  now = tutti.now()
  if now >= self.dead_at then
    self:fail("ping timeout", "the server is silent")
  elseif self.version == 3 and not self.is_pinged and now >= self.ping_at then
    self.is_pinged, self.dead_at = true, now + self.timeout
    self:send { { text = "2" } }
  end
end

function Engine:read_polling()
  local packet = self.inbox[self.inbox_at]
  if not packet then return self:poll() end
  self.inbox[self.inbox_at] = false
  self.inbox_at = self.inbox_at + 1
  return self:take(packet.text, packet.bytes)
end

-- One step of reading: the text of a message, or nil and the bytes of a binary one; nil if there is none yet, by `due`
-- at the latest where the transport can be left. `self.at` is when it came.
function Engine:read(due)
  if self.read_bytes > BYTES_AT_ONCE then
    self.read_bytes = 0
    tutti.sleep(0)
  end
  local text, bytes
  if self.ws and not self.inbox[self.inbox_at] then
    text, bytes = self:read_websocket(due)
  else
    text, bytes = self:read_polling()
  end
  self.read_bytes = self.read_bytes + MESSAGE_BYTES + #(text or bytes or "")
  return text, bytes
end

-- Sending

function Engine:post(packets)
  local ok, answer = pcall(self.request, self, "POST", codec.encode_payload(self.version, packets), self.options.timeout)
  if ok and answer.status == 200 then return end
  if not ok then errors.pass_stopped(answer) end
  self:fail("transport error", ok and explain(answer) or errors.text(answer))
end

-- What waits to be sent, as much in one request as the server may take.
function Engine:flush()
  while self.outbox[1] and not self.reason do
    local packets, entries, size = {}, {}, 0
    while self.outbox[1] and (not packets[1] or size + self.outbox[1].size <= self.max_payload) do
      local entry = table.remove(self.outbox, 1)
      size = size + entry.size
      for _, packet in ipairs(entry.packets) do packets[#packets + 1] = packet end
      entries[#entries + 1] = entry
    end
    local at = tutti.now()
    self:post(packets)
    for _, entry in ipairs(entries) do entry.at = at end
    native.give(self.signal)
  end
end

local function is_among(list, wanted)
  for _, entry in ipairs(list) do
    if entry == wanted then return true end
  end
  return false
end

-- By requests of a task of its own: one at a time, and none is broken off if the task that sends is cancelled.
function Engine:send_polling(packets)
  local size = 0
  for _, packet in ipairs(packets) do size = size + (packet.text and #packet.text or #packet.bytes * 4 // 3) + 10 end
  local entry = { packets = packets, size = size }
  self.outbox[#self.outbox + 1] = entry
  while not entry.at and not self.reason do
    if not self.sender or not native.is_running(self.sender) then
      if not is_among(self.outbox, entry) then return nil end
      self.sender = tutti.task({ keep = true }, function() self:flush() end)
    end
    native.await(self.signal, native.changes(self.signal), tutti.now() + self.options.timeout)
  end
  return entry.at
end

-- The packets of the engine's own are single texts; those of messages have their attachments behind them.
function Engine:send_websocket(packets)
  local row = { packets[1].text }
  for i = 2, #packets do row[i] = self.version == 3 and "\4" .. packets[i].bytes or packets[i].bytes end
  local ok, at = pcall(native.send, self.ws, table.unpack(row))
  if ok then return at end
  local kind = errors.kind(at)
  if kind == "memory" then self:fail("transport error", "no memory for all of a packet") end
  if kind ~= "closed" then error(at, 0) end
end

-- Sends the packets in a row: when, on the clock of tutti.now(); nil if the session is over.
function Engine:send(packets)
  if self.reason then return nil end
  if self.ws then return self:send_websocket(packets) end
  return self:send_polling(packets)
end

-- Ends the session from our side.
function Engine:close()
  if self.reason then return end
  if not self.ws then
    self:send { { text = "1" } }
  end
  if not self.reason then self.reason, self.why = "io client disconnect", "closed by us" end
  native.give(self.signal)
  if self.ws then self.ws:close() end
end

-- A session that is open. `options`: version, transports, what (for messages), name, timeout, max_message, frames, and
-- what websocket.connect and http.request take; `signal` is given when it ends.
function engine.open(options, signal)
  local self = setmetatable({
    options = options, version = options.version, signal = signal, inbox = {}, inbox_at = 1, outbox = {},
    read_bytes = 0, is_polling = false,
  }, Engine)
  if options.transports.polling then self:open_polling() else self:open_websocket() end
  return self
end

return engine
