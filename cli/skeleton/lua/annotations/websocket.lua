---@meta tutti.websocket

---@class tutti.websocket.Options : tutti.http.Options
---@field protocols? string[]
---@field compress? boolean
---@field max_message? integer
---@field ping_interval? number
---@field queue? integer
---@field on_full? "drop_oldest"|"drop_newest"|"close"

---@class tutti.websocket.Connection
---@field state "open"|"closing"|"closed"
---@field close_code? integer
---@field close_reason? string
---@field protocol? string
---@field dropped integer
local ws = {}

---@param text string
---@return number at
function ws:send(text) end

---@param bytes string
---@return number at
function ws:send_binary(bytes) end

---@param options? { timeout?: number }
---@return string message
---@return "text"|"binary" kind
---@return number at
function ws:receive(options) end

---@param f fun(message: string, kind: string, at: number): boolean?
---@param options? { timeout?: number }
---@return string message
---@return "text"|"binary" kind
---@return number at
function ws:receive_until(f, options) end

---@param options { from: tutti.Notifier, timeout?: number }
---@return string message
---@return "text"|"binary" kind
---@return number at
function ws:expect(options) end

---@param options? { timeout?: number }
---@return fun(): string?, string?, number?
function ws:messages(options) end

---@param options? { timeout?: number }
---@return number seconds
function ws:ping(options) end

---@param code? integer
---@param reason? string
function ws:close(code, reason) end

---@class tutti.websocket
local websocket = {}

---@param url string
---@param options? tutti.websocket.Options
---@return tutti.websocket.Connection
function websocket.connect(url, options) end

return websocket
