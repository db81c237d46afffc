-- What a page shows: navigation, its source, scripts, pictures.
local import = ...
local checks = import "checks"
local locators = import "locators"
local values = import "values"
local page = {}

local schemes = checks.set("http", "https", "about", "data", "blob")

-- A sandboxed script reads no files of the agent's machine through a browser either.
local function check_scheme(self, url)
  local scheme = url:match("^%s*([%a][%w+.-]*):")
  if self.is_guarded and not (scheme and schemes[scheme:lower()]) then
    checks.fail("open: %s is no address of a page (http, https, about, data, blob) to one without --allow-system", url)
  end
end

-- page:open(url): returns when it has loaded. An address that begins with / follows the option `base`.
function page:open(url)
  url = checks.text(url, "the address")
  if self.base and not url:match("^%a[%w+.-]*:") then url = self.base .. url end
  check_scheme(self, url)
  self:command("open", "open " .. url, "POST", "/url", values.encode { url = url }, self.times.page_load)
end

function page:url()
  return self:ask("url", "/url")
end

function page:title()
  return self:ask("title", "/title")
end

function page:source()
  return self:ask("source", "/source")
end

function page:back()
  self:post("back", "/back", nil, self.times.page_load)
end

function page:forward()
  self:post("forward", "/forward", nil, self.times.page_load)
end

function page:refresh()
  self:post("refresh", "/refresh", nil, self.times.page_load)
end

local function script_body(script, ...)
  checks.text(script, "the script")
  return ('{"script":%s,"args":%s}'):format(values.encode(script), values.encode_arguments(...))
end

-- page:execute(script, …): what the body of a function in the page returns; `arguments` are the further ones.
function page:execute(script, ...)
  return self:command("execute", "execute", "POST", "/execute/sync", script_body(script, ...), self.times.script)
end

-- page:execute_async(script, …): what the page hands to the last of `arguments`, a function.
function page:execute_async(script, ...)
  return self:command("execute_async", "execute_async", "POST", "/execute/async", script_body(script, ...),
    self.times.script)
end

-- page:screenshot() → a PNG picture of what is in sight
function page:screenshot()
  return values.bytes(self:ask("screenshot", "/screenshot"), "screenshot")
end

local print_names = checks.set("landscape", "scale", "background", "width", "height", "margin", "pages", "shrink")

local function page_ranges(ranges)
  if type(ranges) == "string" then ranges = { ranges } end
  local list = {}
  for i, range in ipairs(checks.table(ranges, "pages")) do list[i] = checks.text(range, "a range of pages") end
  return values.list(list)
end

local function margins(margin)
  if type(margin) == "number" then return { top = margin, bottom = margin, left = margin, right = margin } end
  return checks.options(margin, checks.set("top", "bottom", "left", "right"), "margin")
end

-- page:print { landscape =, scale =, background =, width =, height =, margin =, pages =, shrink = } → a PDF;
-- lengths in centimetres
function page:print(options)
  options = checks.options(options, print_names, "print")
  local body = { scale = options.scale, background = options.background, shrinkToFit = options.shrink }
  if options.landscape ~= nil then body.orientation = options.landscape and "landscape" or "portrait" end
  if options.width or options.height then body.page = { width = options.width, height = options.height } end
  if options.margin then body.margin = margins(options.margin) end
  if options.pages then body.pageRanges = page_ranges(options.pages) end
  return values.bytes(self:post("print", "/print", body), "print")
end

-- page:find(selector, [by]) → the first element
function page:find(selector, by)
  local body = values.encode(locators.body(selector, by))
  local element = self:command("find", "find " .. selector, "POST", "/element", body, self.times.implicit)
  element.name = selector
  return element
end

-- page:find_all(selector, [by]) → a list, perhaps empty
function page:find_all(selector, by)
  local body = values.encode(locators.body(selector, by))
  local found = self:command("find_all", "find " .. selector, "POST", "/elements", body, self.times.implicit)
  for _, element in ipairs(found) do element.name = selector end
  return found
end

function page:active_element()
  return self:ask("active_element", "/element/active")
end

return { page = page, script_body = script_body }
