-- A finaliser within the encoding of a value encodes one of its own.
local tutti = require "tutti"

tutti.scenario("x", function()
  local _, err = pcall(tutti.incr, "")
  local meta, long = getmetatable(err), ("L"):rep(60000)
  pcall(function() meta.__gc = function() pcall(tutti.set_var, "zz", long) end end)
  for _ = 1, 20 do
    for _ = 1, 200 do pcall(tutti.incr, "") end
    local t = {}
    for i = 1, 400 do t[i] = { k = { a = i, b = { i } }, s = ("s"):rep(i % 50) } end
    tutti.set_var("v", t)
    local v = tutti.get_var("v")
    for i = 1, 400 do assert(v[i].k.a == i and v[i].k.b[1] == i and #v[i].s == i % 50, "wrong value") end
  end
end)
