-- Files beside the bundle, by every way to spell a path, and by file objects that were tampered with.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

tutti.options { files = { "prey.txt" } }

tutti.scenario("x", function()
  local secret = lib.prey .. "/secret"
  for _, path in ipairs { secret, "/" .. secret, "." .. ("/.."):rep(30) .. secret, "prey.txt/../.." .. secret, "prey.txt\0" .. secret, "file://" .. secret } do
    local file = io.open(path)
    lib.look_at(file and file:read("a"))
    pcall(io.lines, path)
    pcall(require, path)
    pcall(tutti.data, path)
    local page = browser.open { remote = lib.origin }
    local element = page:find("#x")
    pcall(element.send_file, element, path)
    lib.refused(page.send_file, element, path)
    page:close()
  end
  local file = io.open("prey.txt")
  file.text, file.at = setmetatable({}, { __len = function() return 1 << 40 end }), -5
  pcall(file.read, file, "a")
  pcall(file.read, { text = secret, at = 1 }, "a")
  for _, name in ipairs { "popen", "tmpfile", "output", "input", "write" } do lib.refused(io[name], secret) end
  assert(not io.open(lib.prey .. "/new", "w") and not io.open("prey.txt", "a"))
end)
