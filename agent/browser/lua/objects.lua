-- Objects whose inside is not part of them. A script holds the object and may do with it what it likes; its inside (a
-- session, a driver, whether it is guarded) is kept here, with the object as the key, inaccessible to scripts.
local import = ...
local checks = import "checks"
local objects = {}

-- A class: .methods are what a script calls, .new(inside, [public]) makes an object, .of(object) returns its inside or
-- raises, .find(object) returns nil if it is not one. `public` are fields that the script sees, for its use alone.
function objects.class(name)
  local insides = setmetatable({}, { __mode = "k" })
  local methods = {}
  local class = { methods = methods }
  class.metatable = { __name = "browser." .. name, __index = methods, __metatable = name }

  function class.new(inside, public)
    local object = setmetatable(public or {}, class.metatable)
    insides[object] = inside
    return object
  end

  function class.find(object)
    return insides[object]
  end

  function class.of(object)
    return insides[object] or checks.fail("this is not a %s of tutti.browser: was it called with a colon?", name)
  end

  return class
end

return objects
