-- The module that a script requires: tutti.socketio.
local import, native = ...
local callbacks = import "callbacks"
local checks = import "checks"
local connections = import "connection"
local namespaces = import "namespace"
local packets = import "packets"
local url = import "url"

local socketio = { binary = packets.binary }

local DEFAULT_TIMEOUT_S = 30
local DEFAULT_QUEUE, LARGEST_QUEUE = 1000, 1000000
local DEFAULT_MESSAGE_BYTES, LARGEST_MESSAGE_BYTES = 1 << 20, 64 << 20
-- Of the WebSocket, in which frames wait only until the connection's task has its turn.
local FRAMES = 100000

local names = checks.set("auth", "base", "compress", "eio", "headers", "max_message", "name", "on_full", "path", "proxy",
  "query", "queue", "reconnect", "timeout", "tls", "transports")
local policies = checks.set("drop_oldest", "drop_newest", "close")
local known_transports = checks.set("websocket", "polling")

local function read_transports(value)
  if value == nil then return { websocket = true } end
  local set = {}
  for _, name in ipairs(checks.kind(value, "table", "socketio.connect: transports")) do
    if not known_transports[name] then
      checks.fail("socketio.connect: a transport is \"websocket\" or \"polling\", not %s", tostring(name))
    end
    set[name] = true
  end
  if next(set) == nil then checks.fail("socketio.connect: transports is empty") end
  if value[1] == "websocket" then set.polling = nil end
  return set
end

-- The server's address for http and ws, and the namespace and the query, which a URL has behind that.
local function read_url(text)
  local query = string.match(text, "^[^#]-%?([^#]*)")
  local rest = string.match(text, "^[^?#]*")
  local scheme, host, name = string.match(rest, "^(%a+)://([^/]*)(.*)$")
  if not scheme then
    if string.find(rest, "://", 1, true) then checks.fail("socketio.connect: \"%s\" is no URL", text) end
    return "", "", rest, query
  end
  scheme = string.lower(scheme)
  local is_tls = scheme == "https" or scheme == "wss"
  if not is_tls and scheme ~= "http" and scheme ~= "ws" then
    checks.fail("socketio.connect: \"%s\" begins with none of http, https, ws and wss", text)
  end
  return (is_tls and "https://" or "http://") .. host, (is_tls and "wss://" or "ws://") .. host, name, query
end

local function read_query(text, given)
  local query = {}
  for name, value in next, text and url.query(text) or query do query[name] = value end
  if given ~= nil then
    for name, value in next, checks.kind(given, "table", "socketio.connect: query") do query[name] = value end
  end
  return query
end

local function copy_headers(given, more, value)
  local headers = {}
  if given ~= nil then
    for name, text in next, checks.kind(given, "table", "socketio.connect: headers") do headers[name] = text end
  end
  if more then headers[more] = value end
  return headers
end

local function read_options(address, given)
  local options = checks.options(given, names, "socketio.connect")
  local http, ws, namespace, query = read_url(address)
  local path = checks.kind(options.path or "/socket.io/", "string", "socketio.connect: path")
  local version = options.eio or 4
  if version ~= 3 and version ~= 4 then checks.fail("socketio.connect: eio is 3 or 4") end
  local policy = options.on_full or "drop_oldest"
  if not policies[policy] then
    checks.fail("socketio.connect: on_full is \"drop_oldest\", \"drop_newest\" or \"close\"")
  end
  local reconnect = options.reconnect
  if reconnect ~= nil and type(reconnect) ~= "boolean" and math.type(reconnect) ~= "integer" then
    checks.fail("socketio.connect: reconnect is true, false, or how often it is tried")
  end
  if string.sub(path, 1, 1) ~= "/" then path = "/" .. path end
  return {
    version = version, transports = read_transports(options.transports), namespace = namespace, policy = policy,
    http_url = http .. path, websocket_url = ws .. path, what = ws .. path, auth = options.auth,
    timing = (options.name or "IO") .. " ", name = options.name or "IO " .. path,
    timeout = options.timeout and checks.seconds(options.timeout, "socketio.connect: timeout") or DEFAULT_TIMEOUT_S,
    queue = checks.whole(options.queue or DEFAULT_QUEUE, "socketio.connect: queue", LARGEST_QUEUE),
    max_message = checks.whole(options.max_message or DEFAULT_MESSAGE_BYTES, "socketio.connect: max_message",
      LARGEST_MESSAGE_BYTES),
    reconnect = reconnect and true or false, attempts = math.type(reconnect) == "integer" and reconnect or nil,
    query = read_query(query, options.query), tls = options.tls, proxy = options.proxy, base = options.base,
    compress = options.compress, frames = FRAMES, headers = copy_headers(options.headers),
    post_headers = copy_headers(options.headers, "Content-Type", "text/plain;charset=UTF-8"),
  }
end

-- Ends what the connecting has begun, where it does not come to its end.
local Attempt = {
  __close = function(attempt)
    if not attempt.is_done and attempt.connection.engine then attempt.connection.engine:fail("io client disconnect") end
  end,
}

-- socketio.connect([url, [options]]) → a connection of the worker, in the namespace that the URL names
function socketio.connect(address, given)
  native.worker()
  if address == nil then address = "/" end
  local options = read_options(checks.kind(address, "string", "socketio.connect: the URL"), given)
  local connection = connections.new(options)
  local attempt <close> = setmetatable({ connection = connection }, Attempt)
  connection.callbacks = callbacks.new(options.queue, options.policy)
  local namespace = namespaces.open(connection, options.namespace == "" and "/" or options.namespace, { auth = options.auth })
  connection:open()
  namespace:await_connect()
  connection:start()
  attempt.is_done = true
  return namespaces.push_object(namespace)
end

return socketio
