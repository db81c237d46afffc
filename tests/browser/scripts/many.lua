-- Several workers, each with a browser of its own.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"

tutti.scenario("many", function(worker)
  local page = common.page(worker, "/main.html")
  page:execute("window.owner = window.owner ?? arguments[0]", worker.id)
  common.same(page:execute("return window.owner"), worker.id)
  page:find("#field"):send_keys("w" .. worker.id)
  common.same(page:execute("return field.value"), "firstw" .. worker.id)
  page:set_cookie { name = "who", value = tostring(worker.id) }
  worker:barrier("all")
  common.same(page:cookie("who").value, tostring(worker.id))
end)
