-- Requests of all kinds, for the log of requests.
local tutti = require "tutti"
local http = require "tutti.http"

tutti.global_setup(function() http.get("/", { name = "global" }) end)
tutti.setup(function() http.get("/", { name = "setup" }) end)

tutti.scenario("visit", function()
  http.get("/?q=ä\"", { name = "front \"page\"" })
  http.post("/nowhere", "sent")
  http.batch { { url = "/", name = "first of two" }, { url = "/", name = "second of two" } }
  pcall(http.get, "http://127.0.0.1:1/", { name = "refused" })
end)
