-- Elements of a page, and shadow roots.
local import = ...
local actions = import "actions"
local checks = import "checks"
local documents = import "documents"
local elements = import "elements"
local errors = import "errors"
local pages = import "pages"
local uploads = import "uploads"
local values = import "values"

local Element, Shadow = elements.methods, elements.shadows.methods
local of = elements.of

local function named(element, what)
  return element.name and what .. " " .. element.name or what
end

local function ask(element, name, path)
  return pages.command(element.session, name, named(element, name), "GET", element.path .. path)
end

local function post(element, name, path, body, patience)
  return pages.command(element.session, name, named(element, name), "POST", element.path .. path,
    values.encode(body or {}), patience)
end

local function find(inside, selector, by)
  return elements.look_for_one(inside.session, inside.path .. "/element", named(inside, " in"), selector, by)
end

local function find_all(inside, selector, by)
  return elements.look_for_all(inside.session, inside.path .. "/elements", named(inside, " in"), selector, by)
end

-- element:find(selector, [by]), element:find_all(selector, [by]): within it
function Element:find(selector, by)
  return find(of(self), selector, by)
end

function Element:find_all(selector, by)
  return find_all(of(self), selector, by)
end

function Shadow:find(selector, by)
  return find(elements.shadows.of(self), selector, by)
end

function Shadow:find_all(selector, by)
  return find_all(elements.shadows.of(self), selector, by)
end

-- element:text() → as it is shown
function Element:text()
  return ask(of(self), "text", "/text")
end

-- element:attribute(name) → its text, "true" for one without a value, nil if it does not exist
function Element:attribute(name)
  return ask(of(self), "attribute", "/attribute/" .. values.escape(checks.text(name, "the name of an attribute")))
end

-- element:property(name) → of the page's object, as it is now
function Element:property(name)
  return ask(of(self), "property", "/property/" .. values.escape(checks.text(name, "the name of a property")))
end

-- element:css(name) → the computed value
function Element:css(name)
  return ask(of(self), "css", "/css/" .. values.escape(checks.text(name, "the name of a CSS property")))
end

function Element:tag()
  return ask(of(self), "tag", "/name")
end

-- element:role(), element:label() → as accessibility sees it
function Element:role()
  return ask(of(self), "role", "/computedrole")
end

function Element:label()
  return ask(of(self), "label", "/computedlabel")
end

-- element:rect() → { x =, y =, width =, height = }
function Element:rect()
  return ask(of(self), "rect", "/rect")
end

function Element:is_displayed()
  return ask(of(self), "is_displayed", "/displayed")
end

function Element:is_enabled()
  return ask(of(self), "is_enabled", "/enabled")
end

function Element:is_selected()
  return ask(of(self), "is_selected", "/selected")
end

-- element:screenshot() → a PNG picture of it alone
function Element:screenshot()
  return values.bytes(ask(of(self), "screenshot", "/screenshot"), "screenshot")
end

-- element:shadow_root(); raises "no such shadow root" if there is none
function Element:shadow_root()
  local element = of(self)
  local root = ask(element, "shadow_root", "/shadow")
  elements.set_name(root, element.name)
  return root
end

local function click(element)
  post(element, "click", "/click", nil, element.session.times.page_load)
end

function Element:click()
  click(of(self))
end

function Element:clear()
  post(of(self), "clear", "/clear")
end

-- Text typed into a file input selects the files with these paths, and any element may turn out to be a file input: a
-- path of the agent's files would be given to the page. Text without a slash is not a path. The number pad's slash counts.
local SLASH = "/"
local NUMPAD_SLASH = utf8.char(0xE029)

-- element:send_keys(text, …): types them one after the other; keys are those of browser.keys
function Element:send_keys(...)
  local element, parts = of(self), { ... }
  for i = 1, select("#", ...) do parts[i] = checks.text(parts[i], "what is typed") end
  local text = table.concat(parts)
  if element.session.is_guarded then text = string.gsub(text, SLASH, NUMPAD_SLASH) end
  post(element, "send_keys", "/value", { text = text })
end

-- element:send_file(path): chooses a file of the script's bundle in an <input type="file">
function Element:send_file(path)
  local element = of(self)
  path = uploads.place(element.session, checks.text(path, "the path of a file"))
  post(element, "send_file", "/value", { text = path })
end

local function choose(self, what, script, wanted)
  local element = of(self)
  wanted = checks.text(wanted, what)
  local option = documents.execute(element.session, "execute", "/execute/sync", script, self, wanted)
  local chosen = elements.find(option)
  if not chosen then
    errors.raise {
      error = "no such element",
      message = string.format("%s: no such element: it has no option of the %s %q", named(element, "select"), what, wanted),
    }
  end
  chosen.name = "option " .. wanted
  click(chosen)
end

-- element:select(value), element:select_label(text): chooses an option of a <select>
function Element:select(value)
  choose(self, "value", "return [...arguments[0].options].find(o => o.value === arguments[1]) ?? null", value)
end

function Element:select_label(text)
  choose(self, "label", "return [...arguments[0].options].find(o => o.text === arguments[1].trim()) ?? null", text)
end

local page = {}

-- page:perform(step, …): acts with mouse, keys, pen, fingers, wheel; each step a tick (browser.mouse() and others)
function page:perform(...)
  local body, seconds = actions.body(...)
  pages.command(pages.of(self), "perform", "perform", "POST", "/actions", body, seconds)
end

-- page:release(): releases all keys and buttons that are still down
function page:release()
  pages.command(pages.of(self), "release", "release", "DELETE", "/actions")
end

return { page = page }
