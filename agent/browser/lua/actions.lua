-- The actions of mouse, pen, finger, keyboard and wheel, tick by tick.
local import = ...
local checks = import "checks"
local objects = import "objects"
local values = import "values"
local actions = {}

local MOVE_S = 0.25
local MAX_DEPTH = 100

-- A step is what devices do in one tick: its inside is a list of { device =, action = }. `a & b` does both in the same
-- tick.
local steps = objects.class "step"

function steps.metatable.__band(left, right)
  local first, second = steps.find(left), steps.find(right)
  if not (first and second) then checks.fail("& joins two steps of devices") end
  local joined = {}
  for _, part in ipairs(first) do joined[#joined + 1] = part end
  for _, part in ipairs(second) do
    for _, other in ipairs(first) do
      if other.device == part.device then checks.fail("%s cannot do two things in one tick", part.device.id) end
    end
    joined[#joined + 1] = part
  end
  return steps.new(joined)
end

local function step(device, action)
  return steps.new { { device = device, action = action } }
end

-- The inside of a device: kind, pointer_type, id.
local function device_class(name)
  local class = objects.class(name)

  -- device:pause(seconds)
  function class.methods:pause(seconds)
    return step(class.of(self), { type = "pause", duration = checks.milliseconds(seconds or 0, "a pause") })
  end

  return class
end

local pointers, keyboards, wheels = device_class "pointer", device_class "keyboard", device_class "wheel"
local Pointer, Keyboard, Wheel = pointers.methods, keyboards.methods, wheels.methods

local buttons = { left = 0, middle = 1, right = 2, back = 3, forward = 4 }

local function button_number(button)
  local number = button == nil and 0 or buttons[button] or button
  if math.type(number) ~= "integer" or number < 0 then checks.fail("there is no mouse button %s", tostring(button)) end
  return number
end

local move_names = checks.set("x", "y", "duration")

local function move(pointer, origin, x, y, duration)
  return step(pointer, {
    type = "pointerMove", origin = origin, x = checks.whole(x, "x"), y = checks.whole(y, "y"),
    duration = checks.milliseconds(duration or MOVE_S, "a duration"),
  })
end

-- pointer:move_to(element, { x =, y =, duration = }): x and y from its middle, in pixels
function Pointer:move_to(element, options)
  local pointer = pointers.of(self)
  options = checks.options(options, move_names, "move_to")
  checks.table(element, "what move_to goes to")
  return move(pointer, element, options.x or 0, options.y or 0, options.duration)
end

-- pointer:move_by(x, y, [duration]): from where it is
function Pointer:move_by(x, y, duration)
  return move(pointers.of(self), "pointer", x, y, duration)
end

-- pointer:move_at(x, y, [duration]): from the top left corner of the viewport
function Pointer:move_at(x, y, duration)
  return move(pointers.of(self), "viewport", x, y, duration)
end

-- pointer:down([button]), pointer:up([button]): left, middle, right or a number
function Pointer:down(button)
  return step(pointers.of(self), { type = "pointerDown", button = button_number(button) })
end

function Pointer:up(button)
  return step(pointers.of(self), { type = "pointerUp", button = button_number(button) })
end

local function key_action(keyboard, kind, key)
  checks.text(key, "a key")
  if utf8.len(key) == 0 or not utf8.len(key) then checks.fail("a key is one character, or one of browser.keys") end
  return step(keyboard, { type = kind, value = key })
end

-- keyboard:down(key), keyboard:up(key)
function Keyboard:down(key)
  return key_action(keyboards.of(self), "keyDown", key)
end

function Keyboard:up(key)
  return key_action(keyboards.of(self), "keyUp", key)
end

-- keyboard:type(text) → steps, two for each character
function Keyboard:type(text)
  local keyboard, typed = keyboards.of(self), {}
  checks.text(text, "what is typed")
  if not utf8.len(text) then checks.fail("what is typed is UTF-8") end
  for _, code in utf8.codes(text) do
    typed[#typed + 1] = key_action(keyboard, "keyDown", utf8.char(code))
    typed[#typed + 1] = key_action(keyboard, "keyUp", utf8.char(code))
  end
  return typed
end

local scroll_names = checks.set("on", "x", "y", "duration")

-- wheel:scroll(dx, dy, { on = element, x =, y =, duration = }): x and y from the middle of `on`, or in the
-- viewport; in pixels
function Wheel:scroll(dx, dy, options)
  local wheel = wheels.of(self)
  options = checks.options(options, scroll_names, "scroll")
  return step(wheel, {
    type = "scroll", origin = options.on or "viewport", x = checks.whole(options.x or 0, "x"),
    y = checks.whole(options.y or 0, "y"), deltaX = checks.whole(dx, "dx"), deltaY = checks.whole(dy, "dy"),
    duration = checks.milliseconds(options.duration or MOVE_S, "a duration"),
  })
end

local function maker(class, kind, pointer_type)
  local prefix = pointer_type or kind
  return function(name)
    return class.new { kind = kind, pointer_type = pointer_type, id = checks.text(name or prefix, "a name") }
  end
end

-- browser.mouse([name]) and so on: two of one kind need two names
actions.makers = {
  mouse = maker(pointers, "pointer", "mouse"),
  pen = maker(pointers, "pointer", "pen"),
  touch = maker(pointers, "pointer", "touch"),
  keyboard = maker(keyboards, "key"),
  wheel = maker(wheels, "wheel"),
}

local function flatten(into, part, depth)
  if steps.find(part) then
    into[#into + 1] = part
    return into
  end
  if depth > MAX_DEPTH then checks.fail("steps nested deeper than %d, or a list that contains itself", MAX_DEPTH) end
  for i = 1, rawlen(checks.table(part, "a step")) do flatten(into, rawget(part, i), depth + 1) end
  return into
end

-- A list of steps, from steps and lists of them.
function actions.chain(...)
  local list = {}
  for i = 1, select("#", ...) do flatten(list, (select(i, ...)), 0) end
  return list
end

local function ticks_of(...)
  local ticks = {}
  for i, part in ipairs(actions.chain(...)) do ticks[i] = steps.of(part) end
  return ticks
end

local function devices_of(ticks)
  local order, known = {}, {}
  for _, tick in ipairs(ticks) do
    for _, part in ipairs(tick) do
      local other = known[part.device.id]
      if other and other ~= part.device then checks.fail("two devices are named %s", part.device.id) end
      if not other then order[#order + 1] = part.device end
      known[part.device.id] = part.device
    end
  end
  return order
end

-- One action per tick: devices without one pause.
local function track(device, ticks)
  local list = {}
  for i, tick in ipairs(ticks) do
    list[i] = { type = "pause", duration = 0 }
    for _, part in ipairs(tick) do
      if part.device == device then list[i] = part.action end
    end
  end
  return values.list(list)
end

local function seconds_of(ticks)
  local milliseconds = 0
  for _, tick in ipairs(ticks) do
    local longest = 0
    for _, part in ipairs(tick) do longest = math.max(longest, part.action.duration or 0) end
    milliseconds = milliseconds + longest
  end
  return milliseconds / 1000
end

-- The body of Perform Actions, and how long they take.
function actions.body(...)
  local ticks = ticks_of(...)
  local tracks = {}
  for i, device in ipairs(devices_of(ticks)) do
    tracks[i] = { type = device.kind, id = device.id, actions = track(device, ticks) }
    if device.pointer_type then tracks[i].parameters = { pointerType = device.pointer_type } end
  end
  return values.encode { actions = values.list(tracks) }, seconds_of(ticks)
end

return actions
