-- A site with a login: each worker has an account of its own, and keeps its token while it looks around.
-- Try it: tutti run loadtest.lua --target builtin
local tutti = require "tutti"
local http = require "tutti.http"

tutti.options { workers = 5, runs = 10 }

-- What has to hold; it decides verdict and exit code.
tutti.thresholds { "http.failed < 1%", "request[front page].p95 < 500ms" }

-- A list, or the name of a file beside the script: tutti.data("accounts.csv", { mode = "unique" })
local accounts = tutti.data({
  { user = "ann", password = "apple" },
  { user = "bob", password = "birch" },
  { user = "eve", password = "elder" },
}, { mode = "round_robin" })

-- Once for each worker. The practice target knows no accounts: it echoes what is sent, as a server answers with a token.
tutti.setup_session(function(worker)
  local account = accounts:next(worker)
  local answer = http.post("/echo", { json = { token = "token of " .. account.user }, name = "login" })
  worker.token = answer:json("$.token")
end)

tutti.scenario("look around", function(worker)
  local page = http.get("/page", { auth = { bearer = worker.token }, name = "front page" })
  page:expect { status = 200, header = { ["Content-Type"] = "html" } } -- counted by name; the step goes on
  tutti.sleep(0.1) -- the user reads
end)
