-- What goes to a page, and what comes back, is what JSON means everywhere else.
local tutti = require "tutti"
local browser = require "tutti.browser"
local json = require "tutti.json"
local common = require "common"

tutti.scenario("values", function(worker)
  local page = browser.of(worker, common.options())
  local result = page:execute("return 1", 9007199254740993, 0.1 + 0.2, json.array {}, json.empty_array, {}, { json.null }, browser.list {})
  assert(result.id == 9007199254740993 and math.type(result.id) == "integer")
  assert(result.third == 0.1 + 0.2 and result.none == json.null)
  assert(json.encode(result.list) == "[]" and json.encode(result.object) == "{}")
  page:execute("return 2", result.list, result.object)
end)
