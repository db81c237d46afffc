---@meta tutti.browser

---@class tutti.browser.Options
---@field browser? "chromium"|"firefox"|"webkit"
---@field headless? boolean
---@field args? string[]
---@field mobile? string|table
---@field capabilities? table
---@field timeouts? { script?: number, page_load?: number, implicit?: number }
---@field wait? number
---@field start? number
---@field command? number
---@field base? string
---@field remote? string
---@field auth? string[]

---@class tutti.browser.WaitOptions
---@field timeout? number
---@field by? string
---@field within? tutti.browser.Element
---@field visible? boolean
---@field exact? boolean
---@field pattern? boolean

---@class tutti.browser.Watch
local watch = {}

---@param timeout? number
---@return string text
---@return number seen_at
---@return table sighting
function watch:wait(timeout) end

---@class tutti.browser.Element
local element = {}

---@return string
function element:text() end

---@return string
function element:tag() end

---@return string
function element:role() end

---@return string
function element:label() end

---@return string
function element:screenshot() end

---@param name string
---@return any
function element:attribute(name) end

---@param name string
---@return any
function element:property(name) end

---@param name string
---@return any
function element:css(name) end

---@return table
function element:rect() end

---@return boolean
function element:is_displayed() end

---@return boolean
function element:is_enabled() end

---@return boolean
function element:is_selected() end

function element:click() end

function element:clear() end

---@param ... string
function element:send_keys(...) end

---@param path string
function element:send_file(path) end

---@param value string
function element:select(value) end

---@param text string
function element:select_label(text) end

---@param selector string
---@param by? "css"|"xpath"|"link text"|"partial link text"|"tag name"
---@return tutti.browser.Element
function element:find(selector, by) end

---@param selector string
---@param by? "css"|"xpath"|"link text"|"partial link text"|"tag name"
---@return tutti.browser.Element[]
function element:find_all(selector, by) end

---@return table
function element:shadow_root() end

---@class tutti.browser.Page
---@field id string
---@field browser string
---@field capabilities table
local page = {}

---Returns when the page has loaded.
---@param url string
function page:open(url) end

---@return string
function page:url() end

---@return string
function page:title() end

---@return string
function page:source() end

function page:back() end

function page:forward() end

function page:refresh() end

function page:close() end

function page:maximize() end

function page:minimize() end

function page:fullscreen() end

function page:parent_frame() end

function page:top_frame() end

function page:accept_alert() end

function page:dismiss_alert() end

function page:release() end

function page:delete_cookies() end

---@return boolean
function page:is_open() end

---@param selector string
---@param by? "css"|"xpath"|"link text"|"partial link text"|"tag name"
---@return tutti.browser.Element
function page:find(selector, by) end

---@param selector string
---@param by? "css"|"xpath"|"link text"|"partial link text"|"tag name"
---@return tutti.browser.Element[]
function page:find_all(selector, by) end

---@return tutti.browser.Element
function page:active_element() end

---The body of a function, run in the page.
---@param script string
---@param ... any
---@return any
function page:execute(script, ...) end

---The last of `arguments` is the callback.
---@param script string
---@param ... any
---@return any
function page:execute_async(script, ...) end

---@return string
function page:screenshot() end

---A PDF.
---@param options? table
---@return string
function page:print(options) end

---@return table
function page:timeouts() end

---@param timeouts table
function page:set_timeouts(timeouts) end

---Any command of WebDriver.
---@param method string
---@param path string
---@param body? table
---@return any
function page:request(method, path, body) end

---@return table[]
function page:cookies() end

---@param name string
---@return table?
function page:cookie(name) end

---@param cookie table
function page:set_cookie(cookie) end

---@param name string
function page:delete_cookie(name) end

---@return string
function page:window() end

---@return string[]
function page:windows() end

---@param handle string
function page:switch_to_window(handle) end

---@param kind? "tab"|"window"
---@return string handle
function page:new_window(kind) end

---@return string[] handles
function page:close_window() end

---@return table
function page:window_rect() end

---@param rect table
function page:set_window_rect(rect) end

---@param which tutti.browser.Element|string|integer
function page:frame(which) end

---@param path string|string[]
---@param f fun(...): ...
---@param ... any
---@return any ...
function page:in_frame(path, f, ...) end

---@return string
function page:alert_text() end

---@param text string
function page:send_alert_text(text) end

---Acts step by step.
---@param ... any
function page:perform(...) end

---@param where string|string[]
---@param options? tutti.browser.WaitOptions
---@return tutti.browser.Element
---@return number seen_at
---@return table sighting
function page:wait_for(where, options) end

---@param where string|string[]
---@param options? tutti.browser.WaitOptions
---@return true
---@return number seen_at
---@return table sighting
function page:wait_for_gone(where, options) end

---@param where string|string[]
---@param text string
---@param options? tutti.browser.WaitOptions
---@return string text
---@return number seen_at
---@return table sighting
function page:wait_for_text(where, text, options) end

---@param where string|string[]
---@param text string
---@param options? tutti.browser.WaitOptions
---@return tutti.browser.Watch
function page:watch_text(where, text, options) end

---@param f fun(page: tutti.browser.Page): any
---@param options? table
---@return any
---@return number seen_at
---@return table sighting
function page:wait_until(f, options) end

---@class tutti.browser
---@field keys table<string, string>
---@field errors table<string, string>
local browser = {}

---The worker's page, kept for all steps.
---@param worker tutti.Worker
---@param options? tutti.browser.Options
---@return tutti.browser.Page
function browser.of(worker, options) end

---@param options? tutti.browser.Options
---@return tutti.browser.Page
function browser.open(options) end

---Marks a table as a list.
---@param list table
---@return table
function browser.list(list) end

---A list of steps to keep for later.
---@param ... any
---@return any
function browser.chain(...) end

---@param name? string
---@return any device
function browser.mouse(name) end

---@param name? string
---@return any device
function browser.pen(name) end

---@param name? string
---@return any device
function browser.touch(name) end

---@param name? string
---@return any device
function browser.keyboard(name) end

---@param name? string
---@return any device
function browser.wheel(name) end

return browser
