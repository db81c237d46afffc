-- Represents an element or a shadow root of a page. Its inside: session, id, path (what follows the session's in
-- every path), name (how it was found).
local import = ...
local locators = import "locators"
local objects = import "objects"
local pages = import "pages"
local values = import "values"

local elements = objects.class "element"
local shadows = objects.class "shadow_root"

function values.new_element(session, id)
  return elements.new { session = session, id = id, path = "/element/" .. values.escape(id) }
end

function values.new_shadow(session, id)
  return shadows.new { session = session, id = id, path = "/shadow/" .. values.escape(id) }
end

function values.reference_of(value)
  local found = elements.find(value)
  if found then return values.ELEMENT, found.id end
  found = shadows.find(value)
  if found then return values.SHADOW, found.id end
  return nil
end

function elements.metatable.__tostring(self)
  local element = elements.of(self)
  return "element " .. (element.name or element.id)
end

function shadows.metatable.__tostring(self)
  local shadow = shadows.of(self)
  return "shadow root of " .. (shadow.name or shadow.id)
end

-- Records how the object was found, if it is one.
function elements.set_name(object, name)
  local inside = elements.find(object) or shadows.find(object)
  if inside then inside.name = name end
end

local function look_for(session, name, path, place, selector, by)
  local body = locators.body(selector, by)
  local doing = "find " .. body.value .. place
  return pages.command(session, name, doing, "POST", path, values.encode(body), session.times.implicit), body.value
end

-- `place` describes for a person where that is: "", or " in #menu".
function elements.look_for_one(session, path, place, selector, by)
  local found, name = look_for(session, "find", path, place, selector, by)
  elements.set_name(found, name)
  return found
end

function elements.look_for_all(session, path, place, selector, by)
  local found, name = look_for(session, "find_all", path, place, selector, by)
  if type(found) ~= "table" then return {} end
  for _, element in ipairs(found) do elements.set_name(element, name) end
  return found
end

elements.shadows = shadows

return elements
