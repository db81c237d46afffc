---@meta tutti.socketio

---@class tutti.socketio.Options : tutti.websocket.Options
---@field eio? 3|4
---@field transports? ("websocket"|"polling")[]
---@field path? string
---@field auth? table
---@field reconnect? boolean|integer

---@class tutti.socketio.Event
---@field n integer
---@field name string
---@field at number
---@field ack? fun(...)
---@field [integer] any

---@class tutti.socketio.Connection
---@field connected boolean
---@field id? string
---@field namespace string
---@field transport "websocket"|"polling"
---@field event? tutti.socketio.Event
---@field disconnect_reason? string
---@field reconnects integer
---@field dropped integer
local io = {}

---@param name string
---@param ... any the last may be `{ ack = true, timeout = }`
---@return any ...
function io:emit(name, ...) end

---@param name string
---@param f fun(...)
function io:on(name, f) end

---@param name string
---@param f? fun(...)
function io:off(name, f) end

---@param name string
---@param timeout? number
---@return any ...
function io:once(name, timeout) end

---@param options? { timeout?: number }
---@return tutti.socketio.Event
function io:receive(options) end

---@param options? { timeout?: number }
---@return fun(): tutti.socketio.Event?
function io:events(options) end

---@param name string
---@param options? { auth?: table, query?: table }
---@return tutti.socketio.Connection
function io:of(name, options) end

function io:disconnect() end

function io:close() end

---@class tutti.socketio
local socketio = {}

---@param url? string
---@param options? tutti.socketio.Options
---@return tutti.socketio.Connection
function socketio.connect(url, options) end

---Stands for an attachment in what is emitted.
---@param bytes string
---@return any
function socketio.binary(bytes) end

return socketio
