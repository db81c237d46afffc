-- Values, headers and bodies whose metamethods act while they are read.
local tutti = require "tutti"
local http = require "tutti.http"
local json = require "tutti.json"
local browser = require "tutti.browser"
local lib = require "lib"

tutti.scenario("x", function(worker)
  local names = { "__index", "__newindex", "__pairs", "__len", "__concat", "__eq", "__lt", "__call", "__tostring", "__unm", "__close" }
  local function attack()
    pcall(tutti.set_var, "inner", ("L"):rep(60000))
    pcall(worker.notifier, worker, "n")
    collectgarbage()
    return nil
  end
  local meta = { __name = "x" }
  for _, name in ipairs(names) do meta[name] = attack end
  local value = setmetatable({ 1, 2, 3, a = { b = setmetatable({ c = 1 }, meta) } }, meta)
  tutti.set_var("v", value)
  local back = tutti.get_var("v")
  assert(back[3] == 3 and back.a.b.c == 1)
  worker:notifier("n"):written(value)
  assert(worker:notifier("n"):wait_for_writer(1)[2] == 2)
  assert(tutti.cas("v", value, value))
  pcall(http.get, lib.origin .. "/x", { headers = setmetatable({ ["X-" .. ("h"):rep(80)] = 1 }, meta) })
  pcall(http.post, lib.origin .. "/x", nil, { json = { { value } } })
  pcall(json.encode, { value })
  local page = browser.open { remote = lib.origin }
  page:execute("return 1", value, { value })
  pcall(page.set_cookie, page, setmetatable({ name = "a", value = "b" }, { __pairs = attack }))
  pcall(page.perform, page, setmetatable({}, meta))
  pcall(page.find, page, setmetatable({}, meta))
  pcall(page.wait_for, page, setmetatable({ "#a" }, { __len = attack }))
end)
