---@meta tutti.http

---@class tutti.http.Options
---@field headers? table<string, string>
---@field query? table<string, any>
---@field body? string|fun(): string?
---@field json? any
---@field form? table<string, any>
---@field multipart? table[]
---@field timeout? number seconds, default 30
---@field follow? boolean follow redirects
---@field fresh_connection? boolean
---@field base? string
---@field auth? table `{ user, password }`, `{ user, password, digest = true }` or `{ bearer = token }`
---@field name? string under which the request is counted
---@field tags? table<string, string> the request also counts by these
---@field max_body? integer bytes
---@field tls? { verify?: boolean, ca?: string, certificate?: string, key?: string }
---@field proxy? string|false
---@field version? number 1.1 or 2
---@field share? "agent"
---@field expect? table

---@class tutti.http.Headers
---@field [string] string
local headers = {}

---@param name string
---@return string[]
function headers:all(name) end

---@class tutti.http.Response
---@field status integer
---@field headers tutti.http.Headers
---@field body string
---@field url string after redirects
---@field redirects { url: string, status: integer }[]
---@field timings table
---@field version "1.1"|"2"
---@field address string
---@field reused boolean
---@field retried boolean
local response = {}

---The body, decoded; with a path the value there.
---@param path? string
---@return any
function response:json(path) end

---@param expression string
---@return string[]|string|number|boolean
function response:xpath(expression) end

---@param pattern string
---@return string ...
function response:match(pattern) end

---Several checks of it.
---@param expected { status?: integer|string|(integer|string)[], header?: table, body?: string, json?: table, max?: number, name?: string, fail?: boolean }
---@return boolean passed
function response:expect(expected) end

---Counts the request as failed.
---@param why string
function response:fail(why) end

---Counts the request as good, whatever its status.
function response:ok() end

---A response whose body is read while it comes.
---@class tutti.http.Stream : tutti.http.Response
local stream = {}

---@param size? integer
---@return string? piece nil at the end
function stream:read(size) end

---@return fun(): string?
function stream:pieces() end

---@class tutti.http.Event
---@field event string
---@field data string
---@field id? string
---@field retry number
---@field at number

---@param options? { timeout?: number, reconnect?: boolean }
---@return tutti.http.Event?
function stream:event(options) end

---@param options? { timeout?: number, reconnect?: boolean }
---@return fun(): tutti.http.Event?
function stream:events(options) end

function stream:close() end

---@class tutti.http.Session
local session = {}

---@param url string
---@param options? tutti.http.Options
---@return tutti.http.Response
function session:get(url, options) end

---@param url string
---@param options? tutti.http.Options
---@return tutti.http.Response
function session:head(url, options) end

---@param url string
---@param options? tutti.http.Options
---@return tutti.http.Response
function session:delete(url, options) end

---@param url string
---@param body? string|tutti.http.Options
---@param options? tutti.http.Options
---@return tutti.http.Response
function session:post(url, body, options) end

---@param url string
---@param body? string|tutti.http.Options
---@param options? tutti.http.Options
---@return tutti.http.Response
function session:put(url, body, options) end

---@param url string
---@param body? string|tutti.http.Options
---@param options? tutti.http.Options
---@return tutti.http.Response
function session:patch(url, body, options) end

---@param method string
---@param url string
---@param body? string|tutti.http.Options
---@param options? tutti.http.Options
---@return tutti.http.Response
function session:request(method, url, body, options) end

---@param url string
---@param options? tutti.http.Options
---@return tutti.http.Stream
---@overload fun(self: tutti.http.Session, method: string, url: string, body?: string, options?: tutti.http.Options): tutti.http.Stream
function session:stream(url, options) end

---@param requests table[]
---@return (tutti.http.Response|table)[]
function session:batch(requests) end

---@class tutti.http
local http = {}

---@param url string
---@param options? tutti.http.Options
---@return tutti.http.Response
function http.get(url, options) end

---@param url string
---@param options? tutti.http.Options
---@return tutti.http.Response
function http.head(url, options) end

---@param url string
---@param options? tutti.http.Options
---@return tutti.http.Response
function http.delete(url, options) end

---@param url string
---@param body? string|tutti.http.Options
---@param options? tutti.http.Options
---@return tutti.http.Response
function http.post(url, body, options) end

---@param url string
---@param body? string|tutti.http.Options
---@param options? tutti.http.Options
---@return tutti.http.Response
function http.put(url, body, options) end

---@param url string
---@param body? string|tutti.http.Options
---@param options? tutti.http.Options
---@return tutti.http.Response
function http.patch(url, body, options) end

---@param method string
---@param url string
---@param body? string|tutti.http.Options
---@param options? tutti.http.Options
---@return tutti.http.Response
function http.request(method, url, body, options) end

---@param url string
---@param options? tutti.http.Options
---@return tutti.http.Stream
---@overload fun(method: string, url: string, body?: string, options?: tutti.http.Options): tutti.http.Stream
function http.stream(url, options) end

---@param requests table[]
---@return (tutti.http.Response|table)[]
function http.batch(requests) end

---@param defaults tutti.http.Options
---@return tutti.http.Session
function http.session(defaults) end

---@param url string
---@return table<string, string> by_name
---@return table[] list
function http.cookies(url) end

---@param url string
---@param text string
function http.set_cookie(url, text) end

function http.clear_cookies() end

---Closes the worker's connections.
function http.close() end

return http
