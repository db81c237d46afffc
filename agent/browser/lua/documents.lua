-- What a page shows: navigation, its source, scripts, pictures.
local import = ...
local checks = import "checks"
local elements = import "elements"
local pages = import "pages"
local values = import "values"
local page = {}

local schemes = checks.set("http", "https", "data", "blob")

-- A sandboxed script cannot read files of the agent's machine through a browser either. Of a browser's internal pages it
-- gets the empty one: others show the machine, and some can do more than a page.
local function is_page(url)
  local scheme = string.match(url, "^(%a[%w+.-]*):")
  if not scheme or string.find(url, "%c") then return false end
  return schemes[string.lower(scheme)] or string.find(string.lower(url), "^about:blank$") ~= nil
end

local function address_of(session, url)
  url = checks.text(url, "the address")
  if session.base and not string.match(url, "^%a[%w+.-]*:") then url = session.base .. url end
  if session.is_guarded and not is_page(url) then
    checks.fail("open: %s is not an address that may be opened without --allow-system (http, https, data, blob, about:blank)", url)
  end
  return url
end

-- page:open(url): returns when it has loaded. An address that begins with / follows the option `base`.
function page:open(url)
  local session = pages.of(self)
  url = address_of(session, url)
  pages.command(session, "open", "open " .. url, "POST", "/url", values.encode { url = url }, session.times.page_load)
end

function page:url()
  return pages.ask(pages.of(self), "url", "/url")
end

function page:title()
  return pages.ask(pages.of(self), "title", "/title")
end

function page:source()
  return pages.ask(pages.of(self), "source", "/source")
end

local function travel(self, name)
  local session = pages.of(self)
  pages.post(session, name, "/" .. name, nil, session.times.page_load)
end

function page:back()
  travel(self, "back")
end

function page:forward()
  travel(self, "forward")
end

function page:refresh()
  travel(self, "refresh")
end

local function execute(session, name, path, script, ...)
  script = values.encode(checks.text(script, "the script"))
  local body = string.format('{"script":%s,"args":%s}', script, values.encode_arguments(...))
  return pages.command(session, name, name, "POST", path, body, session.times.script)
end

-- page:execute(script, …): what the body of a function in the page returns; `arguments` are the further ones.
function page:execute(script, ...)
  return execute(pages.of(self), "execute", "/execute/sync", script, ...)
end

-- page:execute_async(script, …): what the page passes to the last of `arguments`, a function.
function page:execute_async(script, ...)
  return execute(pages.of(self), "execute_async", "/execute/async", script, ...)
end

-- page:screenshot() → a PNG picture of the viewport
function page:screenshot()
  return values.bytes(pages.ask(pages.of(self), "screenshot", "/screenshot"), "screenshot")
end

local print_names = checks.set("landscape", "scale", "background", "width", "height", "margin", "pages", "shrink")
local margin_names = checks.set("top", "bottom", "left", "right")

local function page_ranges(ranges)
  if type(ranges) == "string" then ranges = { ranges } end
  return values.list(checks.texts(ranges, "pages", "a range of pages"))
end

local function margins(margin)
  if type(margin) == "number" then return { top = margin, bottom = margin, left = margin, right = margin } end
  return checks.options(margin, margin_names, "margin")
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
  return values.bytes(pages.post(pages.of(self), "print", "/print", body), "print")
end

-- page:find(selector, [by]) → the first element
function page:find(selector, by)
  return elements.look_for_one(pages.of(self), "/element", "", selector, by)
end

-- page:find_all(selector, [by]) → a list, perhaps empty
function page:find_all(selector, by)
  return elements.look_for_all(pages.of(self), "/elements", "", selector, by)
end

function page:active_element()
  return pages.ask(pages.of(self), "active_element", "/element/active")
end

return { page = page, execute = execute }
