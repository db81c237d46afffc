-- Whatever of a page and an element is no documented call: raw commands, addresses, drivers, guards.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

local function looks_private(object, names)
  for name in names:gmatch("%S+") do
    if object[name] ~= nil then lib.escaped(name) end
  end
end

tutti.scenario("x", function()
  local page = browser.open { remote = lib.origin }
  local element = page:find("#x")
  looks_private(page, "command attempt post ask wire path driver is_guarded times uploads base on_close loss read_timeouts session __index of find_class")
  looks_private(element, "page session path id reference look_for __index")
  looks_private(browser, "import native drivers pages session of_page")
  for _, object in ipairs { page, element } do
    for key, value in pairs(object) do
      if type(value) == "function" or type(value) == "userdata" then lib.escaped(key) end
    end
    if type(getmetatable(object)) == "table" then lib.escaped("an open metatable") end
    lib.refused(setmetatable, object, {})
  end
  -- The methods with an object that is none.
  local forged = { wire = { url = lib.origin }, session = { wire = { url = lib.origin } }, path = "/../../x", is_guarded = false, times = {}, command_s = 1 }
  for _, object in ipairs { forged, setmetatable({}, { __index = page }), setmetatable({}, { __index = forged, __metatable = "page" }), "page", 1 } do
    for _, name in ipairs { "open", "title", "execute", "request", "close", "find", "wait_for", "frame", "cookies", "screenshot", "print" } do
      lib.refused(page[name], object, "x", "y")
    end
    for _, name in ipairs { "click", "send_keys", "send_file", "text", "find", "select" } do
      lib.refused(element[name], object, "x")
    end
  end
  -- Replaced methods are the script's own affair.
  page.title, page.close, page.is_open = lib.escaped, lib.escaped, lib.escaped
  assert(browser.open { remote = lib.origin })
end)
