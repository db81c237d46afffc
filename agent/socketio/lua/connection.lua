-- A connection to a Socket.IO server: its Engine.IO session, the namespaces on it, and the task that reads for them.
-- It is the worker's, and lives from step to step.
local import, native = ...
local engine = import "engine"
local errors = import "errors"
local json = import "json"
local packets = import "packets"
local tutti = import "tutti"
local connection = {}

local Connection = {}
Connection.__index = Connection

-- How long after a loss it is tried again, as by the clients of Socket.IO: doubled each time, and drawn by lot.
local FIRST_DELAY_S, LONGEST_DELAY_S = 1, 5

local function send_connect(self, namespace)
  if self.options.version == 3 then
    -- The server connects everybody to "/" by itself.
    if namespace.name == "/" then return end
    local name = namespace.name .. (namespace.query ~= "" and "?" .. namespace.query or "")
    return self.engine:send { { text = "4" .. packets.encode { type = packets.CONNECT, namespace = name } } }
  end
  local text = packets.encode { type = packets.CONNECT, namespace = namespace.name, data = namespace.auth }
  return self.engine:send { { text = "4" .. text } }
end

local function on_refused(self, namespace, data)
  local message = data
  if type(data) == "table" then
    message = data.message
    if type(message) == "string" then data = data.data else message = json.encode(data) end
  end
  if type(message) ~= "string" then message = "no reason given" end
  namespace.refusal = { message = string.sub(message, 1, 1000), data = data }
  namespace.is_left = true
  namespace:tell("connect_error", namespace.refusal.message)
  self:leave()
end

local function on_connect(self, namespace, packet)
  local sid = type(packet.data) == "table" and packet.data.sid or nil
  if self.options.version == 4 then
    if type(sid) ~= "string" then
      return on_refused(self, namespace, "it speaks Socket.IO 2, for which there is { eio = 3 }")
    end
  else
    sid = namespace.name == "/" and self.engine.sid or namespace.name .. "#" .. self.engine.sid
  end
  if namespace.is_connected then return end
  namespace.id, namespace.is_connected, namespace.refusal, namespace.ended = sid, true, nil, nil
  namespace:tell("connect")
end

-- A packet with all of its attachments.
local function on_packet(self, packet, at)
  local namespace, kind = self.namespaces[packet.namespace], packet.type
  if not namespace then return end
  if kind == packets.CONNECT then
    on_connect(self, namespace, packet)
  elseif kind == packets.CONNECT_ERROR then
    on_refused(self, namespace, packet.data)
  elseif kind == packets.DISCONNECT then
    namespace.is_left = true
    namespace:end_here("io server disconnect")
    self:leave()
  elseif kind == packets.ACK or kind == packets.BINARY_ACK then
    namespace:take_ack(packet.id, packet.data)
  elseif namespace.is_connected then
    namespace:take_event(packet, at)
  end
end

local function on_text(self, text, at)
  if self.partial then return self.engine:fail("parse error", "a packet in place of an attachment") end
  local packet, why = packets.decode(text)
  if not packet then return self.engine:fail("parse error", why) end
  if packet.attachments > 0 then
    self.partial = { packet = packet, buffers = {}, size = 0, at = at }
  else
    on_packet(self, packet, at)
  end
end

local function on_bytes(self, bytes)
  local partial = self.partial
  if not partial then return self.engine:fail("parse error", "an attachment that nobody asked for") end
  partial.size = partial.size + #bytes
  if partial.size > self.options.max_message then return self.engine:fail("parse error", "attachments that are too large") end
  partial.buffers[#partial.buffers + 1] = bytes
  if #partial.buffers < partial.packet.attachments then return end
  self.partial = nil
  local ok, why = packets.attach(partial.packet, partial.buffers)
  if not ok then return self.engine:fail("parse error", why) end
  on_packet(self, partial.packet, partial.at)
end

-- Reads once: what comes is handed on.
function Connection:pump(due)
  local text, bytes = self.engine:read(due)
  if text then
    on_text(self, text, self.engine.at)
  elseif bytes then
    on_bytes(self, bytes)
  end
  if text or bytes then native.give(self.signal) end
end

-- The end of the session is that of its namespaces.
local function end_session(self)
  self.partial = nil
  for _, namespace in next, self.namespaces do namespace:end_here(self.engine.reason) end
end

local function is_wanted(self)
  for _, namespace in next, self.namespaces do
    if not namespace.is_left then return true end
  end
  return false
end

local function has_callbacks(self)
  for _, namespace in next, self.namespaces do
    if next(namespace.callbacks) ~= nil then return true end
  end
  return false
end

-- Whether the script can still get at it: it has an object of it, or callbacks that wait for events.
local function is_forgotten(self)
  return next(self.objects) == nil and not has_callbacks(self)
end

-- Opens a session, and asks for all namespaces of which the script has not taken leave.
function Connection:open()
  self.engine = engine.open(self.options, self.signal)
  for _, namespace in next, self.namespaces do
    if not namespace.is_left then send_connect(self, namespace) end
  end
end

-- After a loss: false if it is not to be tried again.
local function reconnect(self)
  local delay, tried = FIRST_DELAY_S, 0
  while is_wanted(self) and not self.is_closed and not is_forgotten(self) do
    tried = tried + 1
    tutti.sleep(delay * (0.5 + math.random()))
    if self.is_closed then return false end
    local ok, why = pcall(self.open, self)
    if ok then
      self.reconnects = self.reconnects + 1
      return true
    end
    errors.pass_stopped(why)
    for _, namespace in next, self.namespaces do namespace:tell("connect_error", errors.text(why)) end
    if tried == self.options.attempts then return false end
    delay = math.min(delay * 2, LONGEST_DELAY_S)
  end
  return false
end

local function read_all(self)
  while true do
    while not self.engine.reason do
      self:pump()
      if is_forgotten(self) then self.engine:close() end
    end
    end_session(self)
    if not self.options.reconnect or self.engine.reason == "io client disconnect" or not reconnect(self) then break end
  end
  self.is_closed = true
  native.give(self.signal)
end

-- From now on a task of the worker reads.
function Connection:start()
  self.task = tutti.task({ keep = true }, function() read_all(self) end)
  self:note_callbacks()
end

-- Without callbacks, nothing of the worker moves by what comes: it may be part of a deadlock.
function Connection:note_callbacks()
  if self.task then native.listen(self.task, not has_callbacks(self)) end
end

function Connection:is_read()
  return self.task ~= nil and native.is_running(self.task)
end

-- Waits until `ready()` says something true, and returns that; nil when it is due. Where no task reads any more, as
-- after the last step, the one that waits does.
function Connection:await(ready, due)
  while true do
    local seen = native.changes(self.signal)
    local found = ready()
    if found then return found end
    if due and tutti.now() >= due then return nil end
    if self:is_read() then
      native.await(self.signal, seen, due)
    elseif self.engine.reason then
      end_session(self)
      self.is_closed = true
      return ready()
    else
      self:pump(due)
    end
  end
end

-- Whether it may come back by itself.
function Connection:may_return()
  return self.options.reconnect and self:is_read() and not self.is_closed
end

-- Adds the namespace, and asks the server for it.
function Connection:join(namespace)
  self.namespaces[namespace.name] = namespace
  if self.engine and not self.engine.reason then send_connect(self, namespace) end
end

function Connection:send(text, attachments)
  local list = { { text = "4" .. text } }
  for i, bytes in ipairs(attachments) do list[i + 1] = { bytes = bytes } end
  return self.engine:send(list)
end

-- Ends the session if no namespace needs it.
function Connection:leave()
  if is_wanted(self) then return end
  self.is_closed = true
  self.engine:close()
  end_session(self)
end

-- One that is not open yet; `options` as engine.open takes them, and reconnect, attempts, queue, policy.
function connection.new(options)
  return setmetatable({
    options = options, signal = native.signal(), namespaces = {}, objects = setmetatable({}, { __mode = "v" }),
    is_closed = false, reconnects = 0,
  }, Connection)
end

return connection
