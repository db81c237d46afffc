-- Workers that keep a connection open and ask for a tiny page now and then: every BENCH_PERIOD seconds, the first time spread
-- over BENCH_SPREAD seconds. One address has not enough ports for tens of thousands: they share eight addresses of the target.
local tutti = require "tutti"
local http = require "tutti.http"
local period, spread = tonumber(os.getenv("BENCH_PERIOD")), tonumber(os.getenv("BENCH_SPREAD"))
local options = { tls = { verify = false } }

tutti.setup(function(worker)
  worker.url = tutti.target:gsub("127%.0%.0%.1", "127.0.0." .. (1 + worker.id % 8))
end)

tutti.scenario("ask now and then", function(worker)
  if worker.step == 1 then tutti.sleep(spread * worker.id / worker.count) end
  assert(http.get(worker.url, options).status == 200)
  tutti.sleep(period)
end)
