-- Elements of a page, and shadow roots.
local import = ...
local actions = import "actions"
local checks = import "checks"
local locators = import "locators"
local uploads = import "uploads"
local values = import "values"

local Element = { __name = "browser.element", reference = values.ELEMENT }
Element.__index = Element
local Shadow = { __name = "browser.shadow_root", reference = values.SHADOW }
Shadow.__index = Shadow

function values.new_element(page, id)
  return setmetatable({ page = page, id = id, path = "/element/" .. values.escape(id) }, Element)
end

function values.new_shadow(page, id)
  return setmetatable({ page = page, id = id, path = "/shadow/" .. values.escape(id) }, Shadow)
end

function Element:__tostring()
  return "element " .. (self.name or self.id)
end

function Shadow:__tostring()
  return "shadow root of " .. (self.name or self.id)
end

local function named(self, what)
  return self.name and what .. " " .. self.name or what
end

local function ask(self, name, path)
  return self.page:command(name, named(self, name), "GET", self.path .. path)
end

local function post(self, name, path, body, patience)
  return self.page:command(name, named(self, name), "POST", self.path .. path, values.encode(body or {}), patience)
end

local function look_for(self, name, path, selector, by)
  local doing = named(self, ("find %s in"):format(checks.text(selector, "a selector")))
  local body = values.encode(locators.body(selector, by))
  return self.page:command(name, doing, "POST", self.path .. path, body, self.page.times.implicit)
end

local function find(self, selector, by)
  local element = look_for(self, "find", "/element", selector, by)
  element.name = selector
  return element
end

local function find_all(self, selector, by)
  local found = look_for(self, "find_all", "/elements", selector, by)
  for _, element in ipairs(found) do element.name = selector end
  return found
end

-- element:find(selector, [by]), element:find_all(selector, [by]): within it
Element.find, Element.find_all = find, find_all
Shadow.find, Shadow.find_all = find, find_all

-- element:text() → as it is shown
function Element:text()
  return ask(self, "text", "/text")
end

-- element:attribute(name) → its text, "true" for one that is just there, nil if it is not
function Element:attribute(name)
  return ask(self, "attribute", "/attribute/" .. values.escape(checks.text(name, "the name of an attribute")))
end

-- element:property(name) → of the page's object, as it is now
function Element:property(name)
  return ask(self, "property", "/property/" .. values.escape(checks.text(name, "the name of a property")))
end

-- element:css(name) → the computed value
function Element:css(name)
  return ask(self, "css", "/css/" .. values.escape(checks.text(name, "the name of a CSS property")))
end

function Element:tag()
  return ask(self, "tag", "/name")
end

-- element:role(), element:label() → as accessibility sees it
function Element:role()
  return ask(self, "role", "/computedrole")
end

function Element:label()
  return ask(self, "label", "/computedlabel")
end

-- element:rect() → { x =, y =, width =, height = }
function Element:rect()
  return ask(self, "rect", "/rect")
end

function Element:is_displayed()
  return ask(self, "is_displayed", "/displayed")
end

function Element:is_enabled()
  return ask(self, "is_enabled", "/enabled")
end

function Element:is_selected()
  return ask(self, "is_selected", "/selected")
end

-- element:screenshot() → a PNG picture of it alone
function Element:screenshot()
  return values.bytes(ask(self, "screenshot", "/screenshot"), "screenshot")
end

-- element:shadow_root(); the error "no such shadow root" where there is none
function Element:shadow_root()
  local root = ask(self, "shadow_root", "/shadow")
  root.name = self.name
  return root
end

function Element:click()
  post(self, "click", "/click", nil, self.page.times.page_load)
end

function Element:clear()
  post(self, "clear", "/clear")
end

-- element:send_keys(text, …): types them one behind the other; keys are those of browser.keys
function Element:send_keys(...)
  local parts = { ... }
  for i = 1, select("#", ...) do parts[i] = checks.text(parts[i], "what is typed") end
  post(self, "send_keys", "/value", { text = table.concat(parts) })
end

-- element:send_file(path): chooses a file of the script's bundle in an <input type="file">
function Element:send_file(path)
  post(self, "send_file", "/value", { text = uploads.place(self.page, checks.text(path, "the path of a file")) })
end

local function choose(self, what, script, wanted)
  local option = self.page:execute(script, self, checks.text(wanted, what))
  if not option then
    import "errors".raise {
      error = "no such element",
      message = ("%s: no such element: it has no option of the %s %q"):format(named(self, "select"), what, wanted),
    }
  end
  option.name = "option " .. wanted
  option:click()
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
  self:command("perform", "perform", "POST", "/actions", body, seconds)
end

-- page:release(): all keys and buttons that are still down
function page:release()
  self:command("release", "release", "DELETE", "/actions")
end

return { page = page }
