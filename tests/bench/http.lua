-- Requests as fast as the workers can make them; one kind is chosen by --single-mode.
local tutti = require "tutti"
local http = require "tutti.http"
local unverified = { tls = { verify = false } }
local new_connection = { headers = { Connection = "close" } }

-- Keep-alive GETs of a tiny page.
tutti.scenario("get", function(worker)
  http.get(tutti.target)
end)

-- The same over TLS.
tutti.scenario("tls", function(worker)
  http.get(tutti.target, unverified)
end)

-- A new connection for each request.
tutti.scenario("close", function(worker)
  http.get(tutti.target, new_connection)
end)

-- 1 kB of JSON made and sent, and as much received and read: a comment on a page.
local url = tutti.target .. "json"
local text = ("a line of a comment, "):rep(38)

tutti.scenario("json", function(worker)
  local answer = http.post(url, { json = { author = worker.id, step = worker.step, page = "start", tags = { "a", "b", "c" },
    is_draft = false, text = text } }):json()
  assert(answer.step == 7)
end)
