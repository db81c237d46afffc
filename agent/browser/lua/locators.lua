-- Ways to find elements.
local import = ...
local checks = import "checks"
local locators = {}

local strategies = {
  css = "css selector",
  ["css selector"] = "css selector",
  xpath = "xpath",
  ["link text"] = "link text",
  ["partial link text"] = "partial link text",
  ["tag name"] = "tag name",
}

-- WebDriver's name of a strategy; css where none is given.
function locators.strategy(by)
  local using = strategies[by or "css"]
  if not using then
    checks.fail("elements are looked for by css, xpath, link text, partial link text or tag name, not by %s",
      tostring(by))
  end
  return using
end

function locators.body(selector, by)
  return { using = locators.strategy(by), value = checks.text(selector, "a selector") }
end

-- A selector, or a list of which all but the last are selectors of nested frames: returns frames, selector.
function locators.path(where)
  if type(where) == "string" then return {}, where end
  local frames = checks.texts(where, "where to look", "a selector")
  if #frames == 0 then checks.fail("where to look is a selector, or a list of frames and a selector") end
  return frames, table.remove(frames)
end

return locators
