-- fails: someone else
-- workers: 2
-- One worker goes on where another one waits: in a request, an answer, a sleep.
local tutti = require "tutti"
local http = require "tutti.http"
local browser = require "tutti.browser"
local lib = require "lib"
local waiting

tutti.scenario("x", function(worker)
  if worker.id == 0 then
    local over <close> = setmetatable({}, { __close = function() waiting = "over" end })
    local waits = {
      function() tutti.sleep(0.3) end, function() return http.get(lib.origin .. "/slow") end,
      function() return browser.open { remote = lib.origin .. "/slow" } end, function() return tutti.wait_var("never", { timeout = 0.3 }) end,
    }
    for _, wait in ipairs(waits) do
      waiting = coroutine.create(wait)
      local ok, why = coroutine.resume(waiting)
      if ok then lib.escaped("nobody has disturbed it") end
      assert(tostring(why):find("someone else"), tostring(why))
    end
    error("someone else")
  end
  while waiting ~= "over" do
    if waiting and coroutine.status(waiting) == "suspended" then
      local ok = coroutine.resume(waiting)
      if ok then lib.escaped("it went on") end
      pcall(coroutine.close, waiting)
    end
    tutti.sleep(0.01)
  end
  tutti.set_var("after", 1)
end)
