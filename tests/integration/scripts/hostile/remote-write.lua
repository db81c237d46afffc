-- A file of the script's choice, where it likes: by a field of the page, and a string.format of its own.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

tutti.options { files = { "prey.txt" } }

tutti.scenario("x", function()
  local page = browser.open { remote = lib.origin }
  local element = page:find("#x")
  local driver = { profile = function() return lib.prey end, is_alive = function() return true end, stop = print, why = print,
    place_file = function() lib.escaped("a driver of ours is asked") end, url = function() return lib.origin end }
  for _, object in ipairs { page, element } do
    object.driver, object.uploads, object.is_guarded, object.session, object.path, object.page = driver, 1, false, page, "/x", page
  end
  local real = string.format
  string.format = function(f, ...) return f:find("upload", 1, true) and lib.prey or real(f, ...) end
  io.open = function() return { read = function() return "written" end, close = print } end
  pcall(element.send_file, element, "prey.txt")
  pcall(element.send_file, element, lib.prey .. "/new")
end)
