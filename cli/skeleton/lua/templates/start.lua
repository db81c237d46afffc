-- A load test for tutti. Try it: tutti run loadtest.lua --target builtin
local tutti = require "tutti"
local http = require "tutti.http"

-- The command line overrides these: tutti run loadtest.lua -w 20 -d 30s
tutti.options { workers = 4, runs = 5 }

-- What each worker does repeatedly: one call is one step.
tutti.scenario("visit", function(worker)
  local page = http.get(tutti.target .. "/")
  assert(page.status == 200, "the front page answered " .. page.status)
end)

-- Workers can meet. In every step, one of these four writes and the other three read what it wrote.
tutti.scenario("pad", { weight = 0 }, function(worker)
  local round = worker:notifier("pad")
  local pad = tutti.target .. "/pad/first"
  if worker.id == worker.count - 1 then
    if worker.step > 1 then -- no worker is still reading the last text
      worker:notifier("pad", { step = worker.step - 1 }):wait_for_readers()
    end
    local text = "step " .. worker.step
    http.put(pad, text)
    round:written(text)
  else
    local text = round:wait_for_writer()
    assert(http.get(pad).body == text)
    round:one_read()
  end
end)
