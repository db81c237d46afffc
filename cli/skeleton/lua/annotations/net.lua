---@meta tutti.net

---@class tutti.net.Options
---@field host? string
---@field port? integer
---@field unix? string
---@field tls? boolean|{ verify?: boolean, ca?: string, certificate?: string, key?: string }
---@field timeout? number
---@field name? string

---@class tutti.net.Connection
---@field state "open"|"ended"|"failed"|"closed"
---@field address string
---@field bytes_sent integer
---@field bytes_received integer
local connection = {}

---@param bytes string
---@param options? { timeout?: number }
function connection:send(bytes, options) end

---@param options? { bytes?: integer, line?: boolean, delimiter?: string, max?: integer, timeout?: number }
---@return string?
function connection:receive(options) end

function connection:close() end

---Datagrams to and from one address.
---@class tutti.net.Datagrams
---@field state "open"|"failed"|"closed"
---@field address string
---@field bytes_sent integer
---@field bytes_received integer
local datagrams = {}

---@param bytes string
function datagrams:send(bytes) end

---@param options? { timeout?: number }
---@return string
function datagrams:receive(options) end

function datagrams:close() end

---@class tutti.net
local net = {}

---@param where string|tutti.net.Options
---@param options? tutti.net.Options
---@return tutti.net.Connection
function net.connect(where, options) end

---@param host string
---@param port integer
---@param options? { timeout?: number, name?: string }
---@return tutti.net.Datagrams
function net.udp(host, port, options) end

return net
