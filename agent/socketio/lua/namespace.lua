-- A namespace of a connection, as a script has it: it emits events, and takes those that come.
local import, native = ...
local checks = import "checks"
local errors = import "errors"
local events = import "events"
local packets = import "packets"
local tutti = import "tutti"
local namespaces = {}

local LONGEST_NAME = 1000
local MAX_CALLBACKS = 100

-- What happens to the connection itself; no event of the server is taken for one of these.
local reserved = checks.set("connect", "connect_error", "disconnect")
local wait_names = checks.set("timeout")
local emit_names = checks.set("ack", "timeout")

local Namespace = {}
Namespace.__index = Namespace

-- Forgets an acknowledgement when nobody waits for it any more.
local Pending = {
  __close = function(pending) pending.namespace.pending[pending.id] = nil end,
}

local function run_callbacks(self, list, event)
  for _, f in ipairs(list) do
    if not self.connection.callbacks:add(f, event) then return false end
  end
  return true
end

-- The connection's own event.
function Namespace:tell(name, value)
  local list = self.callbacks[name]
  if list then run_callbacks(self, list, { name = name, at = tutti.now(), n = value and 1 or 0, value }) end
end

-- It is over, unless it comes back.
function Namespace:end_here(reason)
  if self.ended then return end
  local was_connected = self.is_connected
  self.is_connected, self.ended = false, reason
  for _, pending in next, self.pending do pending.is_lost = true end
  if was_connected then self:tell("disconnect", reason) end
end

local function make_ack(self, id)
  local is_used = false
  return function(...)
    if is_used then checks.fail("ack: this event is acknowledged already") end
    is_used = true
    local text, attachments = packets.encode {
      type = packets.ACK, namespace = self.name, id = id, values = { ... }, count = select("#", ...),
    }
    if self.is_connected then self.connection:send(text, attachments) end
  end
end

function Namespace:take_event(packet, at)
  local data = packet.data
  local event = { name = data[1], n = #data - 1, at = at, table.unpack(data, 2) }
  if packet.id then
    event.ack = make_ack(self, packet.id)
    event[event.n + 1] = event.ack
  end
  local list = not reserved[event.name] and self.callbacks[event.name]
  local is_taken
  if list then is_taken = run_callbacks(self, list, event) else is_taken = self.queue:add(event) end
  if not is_taken then self.connection.engine:fail("queue full", "more events than the queue holds") end
end

function Namespace:take_ack(id, values)
  local pending = self.pending[id]
  if not pending then return end
  self.pending[id] = nil
  pending.values = values
  native.record(pending.timing, true, pending.began)
end

function Namespace:raise_closed(doing)
  local why = self.connection.engine and self.connection.engine.why
  errors.raise("closed", self.what, "%s: the connection is closed: %s%s", doing, self.ended or "not connected",
    self.ended and why and " (" .. why .. ")" or "")
end

-- Waits until `ready()` says something true, and returns that.
function Namespace:await(doing, ready, timeout)
  local began = tutti.now()
  local found = self.connection:await(function()
    return ready() or (not self.is_connected and not self:may_return())
  end, timeout and began + timeout)
  if found == nil then errors.raise_timeout(self.what, doing, tutti.now() - began) end
  if found == true then self:raise_closed(doing) end
  return found
end

function Namespace:may_return()
  return not self.is_left and self.connection:may_return()
end

-- After the server was asked for it: waits for its answer.
function Namespace:await_connect()
  local timeout = self.connection.options.timeout
  local found = self.connection:await(function()
    return self.is_connected or self.refusal or self.ended or self.connection.engine.reason
  end, tutti.now() + timeout)
  if self.refusal then errors.raise_refused(self.what, self.refusal.message, self.refusal.data) end
  if found == nil then errors.raise_timeout(self.what, "socketio.connect", timeout) end
  if not self.is_connected then self:raise_closed("socketio.connect") end
end

-- Before something is sent: waits for a connection that may come back.
local function need_connection(self, doing, timeout)
  if not self.is_connected then
    self:await(doing, function() return self.is_connected and self end, timeout)
  end
end

local function timing_of(self, name)
  local text = string.gsub(string.sub(self.timing .. name, 1, 200), "[%c\127-\255]", "?")
  return text
end

-- Options stand behind the values: a table that has `ack`, and nothing else but `timeout`.
local function emit_options(values, count)
  local last = values[count]
  if count == 0 or type(last) ~= "table" or type(rawget(last, "ack")) ~= "boolean" or getmetatable(last) ~= nil then
    return nil
  end
  for name in next, last do
    if not emit_names[name] then return nil end
  end
  return last
end

local function emit_with_ack(self, doing, packet, timeout)
  need_connection(self, doing, timeout)
  local began = tutti.now()
  packet.id = self.next_id
  self.next_id = self.next_id + 1
  local pending <close> = setmetatable({
    namespace = self, id = packet.id, began = began, timing = timing_of(self, packet.values[1]),
  }, Pending)
  local text, attachments = packets.encode(packet)
  self.pending[packet.id] = pending
  self.connection:send(text, attachments)
  local found = self.connection:await(function()
    return pending.values or pending.is_lost or not self.is_connected
  end, began + timeout)
  if pending.values then return table.unpack(pending.values) end
  native.record(pending.timing, false, began)
  if found == nil then errors.raise_timeout(self.what, doing, tutti.now() - began) end
  return self:raise_closed(doing)
end

-- What a script holds; its inside is kept here.
local insides = setmetatable({}, { __mode = "k" })
local methods = {}

local function inside_of(object)
  return insides[object] or checks.fail("this is no connection of tutti.socketio: was the call made with a colon?")
end

local function check_name(name, what)
  if type(name) ~= "string" or name == "" or #name > LONGEST_NAME then
    checks.fail("%s: the name of an event is a text of 1 to %d bytes", what, LONGEST_NAME)
  end
  return name
end

-- io:emit(name, value, …, [{ ack = true, timeout = }]) → when it was sent; or what the acknowledgement says
function methods.emit(object, name, ...)
  local self = inside_of(object)
  local doing = "io:emit " .. check_name(name, "io:emit")
  if reserved[name] then checks.fail("io:emit: %s is an event of the connection itself", name) end
  local values, count = { name, ... }, select("#", ...) + 1
  local options = count > 1 and emit_options(values, count) or {}
  if next(options) ~= nil then count = count - 1 end
  local timeout = options.timeout and checks.seconds(options.timeout, "io:emit: timeout") or self.connection.options.timeout
  local packet = { type = packets.EVENT, namespace = self.name, values = values, count = count }
  if options.ack then return emit_with_ack(self, doing, packet, timeout) end
  local text, attachments = packets.encode(packet)
  need_connection(self, doing, timeout)
  return self.connection:send(text, attachments) or self:raise_closed(doing)
end

-- io:on(name, f): runs f(value, …, [ack]) for each such event
function methods.on(object, name, f)
  local self = inside_of(object)
  check_name(name, "io:on")
  checks.kind(f, "function", "what io:on runs")
  local list = {}
  for i, other in ipairs(self.callbacks[name] or list) do list[i] = other end
  if #list >= MAX_CALLBACKS then checks.fail("io:on: %s has %d callbacks already", name, MAX_CALLBACKS) end
  list[#list + 1] = f
  self.callbacks[name] = list
  self.connection:note_callbacks()
  while not reserved[name] do
    local event = self.queue:take(name)
    if not event then break end
    run_callbacks(self, list, event)
  end
end

-- io:off(name, [f])
function methods.off(object, name, f)
  local self = inside_of(object)
  local list = {}
  for _, other in ipairs(self.callbacks[check_name(name, "io:off")] or list) do
    if f ~= nil and not rawequal(f, other) then list[#list + 1] = other end
  end
  self.callbacks[name] = list[1] and list or nil
  self.connection:note_callbacks()
end

local function timeout_of(self, options, what)
  options = checks.options(options, wait_names, what)
  if options.timeout == nil then return nil end
  return checks.seconds(options.timeout, what .. ": timeout")
end

-- io:receive { timeout = } → the oldest event that has no callback
function methods.receive(object, options)
  local self = inside_of(object)
  local timeout = timeout_of(self, options, "io:receive") or self.connection.options.timeout
  return self:await("io:receive", function() return self.queue:take() end, timeout)
end

-- io:once(name, [timeout]) → the values of the oldest event of that name
function methods.once(object, name, timeout)
  local self = inside_of(object)
  check_name(name, "io:once")
  if reserved[name] or self.callbacks[name] then checks.fail("io:once: %s goes to callbacks: see io:on", name) end
  timeout = timeout and checks.seconds(timeout, "io:once: the timeout") or self.connection.options.timeout
  local event = self:await("io:once " .. name, function() return self.queue:take(name) end, timeout)
  return table.unpack(event, 1, event.ack and event.n + 1 or event.n)
end

-- for event in io:events { timeout = } do … end: until the connection is closed
function methods.events(object, options)
  local self = inside_of(object)
  local timeout = timeout_of(self, options, "io:events")
  return function()
    local ok, event = pcall(self.await, self, "io:events", function() return self.queue:take() end, timeout)
    if ok then return event end
    if errors.kind(event) == "closed" then return nil end
    return error(event, 0)
  end
end

-- io:of(name, { auth =, query = }) → that namespace of the same connection
function methods.of(object, name, options)
  local self = namespaces.open(inside_of(object).connection, name, options)
  self:await_connect()
  return namespaces.push_object(self)
end

-- io:disconnect(): leaves the namespace; with the last one the connection ends
function methods.disconnect(object)
  local self = inside_of(object)
  if self.is_left then return end
  if self.is_connected then
    self.connection:send(packets.encode { type = packets.DISCONNECT, namespace = self.name }, {})
  end
  self.is_left = true
  self:end_here("io client disconnect")
  self.connection:leave()
end

methods.close = methods.disconnect

local fields = {
  id = function(self) return self.is_connected and self.id or nil end,
  connected = function(self) return self.is_connected end,
  namespace = function(self) return self.name end,
  transport = function(self) return self.connection.engine.ws and "websocket" or "polling" end,
  event = function(self) return self.connection.callbacks.event end,
  dropped = function(self) return self.queue.dropped + self.connection.callbacks.queue.dropped end,
  reconnects = function(self) return self.connection.reconnects end,
  disconnect_reason = function(self) return self.ended end,
}

local Object = {
  __name = "socketio", __metatable = "socketio", __close = methods.disconnect,
  __index = function(object, name)
    if methods[name] then return methods[name] end
    local field = fields[name]
    return field and field(inside_of(object)) or nil
  end,
  __tostring = function(object) return "socketio " .. inside_of(object).what end,
}

function namespaces.push_object(self)
  local object = self.connection.objects[self.name]
  if object and insides[object] == self then return object end
  object = setmetatable({}, Object)
  insides[object] = self
  self.connection.objects[self.name] = object
  return object
end

local open_names = checks.set("auth", "query")

-- The query as the text that version 3 puts behind the name.
local function query_text(query)
  return query and import("url").query(query) or ""
end

-- The namespace of the connection; the server is asked for it.
function namespaces.open(connection, name, options)
  options = checks.options(options, open_names, "io:of")
  checks.kind(name, "string", "the name of a namespace")
  if string.sub(name, 1, 1) ~= "/" then name = "/" .. name end
  if #name > 200 or string.find(name, "[,?]") then checks.fail("io:of: %s cannot be the name of a namespace", name) end
  local limit, policy = connection.options.queue, connection.options.policy
  local self = connection.namespaces[name]
  if not self or self.is_left then
    self = setmetatable({
      connection = connection, name = name, what = connection.options.what .. (name ~= "/" and " " .. name or ""),
      timing = connection.options.timing .. (name ~= "/" and name .. " " or ""), auth = options.auth,
      query = query_text(options.query), callbacks = {}, queue = events.queue(limit, policy), pending = {}, next_id = 0,
      is_connected = false, is_left = false,
    }, Namespace)
    connection:join(self)
  end
  return self
end

return namespaces
