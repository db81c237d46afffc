-- What a mouse, a pen, a finger, a keyboard and a wheel do, tick by tick.
local import = ...
local checks = import "checks"
local values = import "values"
local actions = {}

local MOVE_S = 0.25

-- A step is what devices do in one tick: a list of { device =, action = }. `a & b` does both in the same one.
local Step = { __name = "browser.step" }

local function is_step(value)
  return getmetatable(value) == Step
end

function Step.__band(left, right)
  if not (is_step(left) and is_step(right)) then checks.fail("& joins two steps of devices") end
  local joined = setmetatable({}, Step)
  for _, part in ipairs(left) do joined[#joined + 1] = part end
  for _, part in ipairs(right) do
    for _, other in ipairs(left) do
      if other.device == part.device then checks.fail("%s cannot do two things in one tick", part.device.id) end
    end
    joined[#joined + 1] = part
  end
  return joined
end

local function step(device, action)
  return setmetatable({ { device = device, action = action } }, Step)
end

local Device = {}
Device.__index = Device

-- device:pause(seconds)
function Device:pause(seconds)
  return step(self, { type = "pause", duration = checks.milliseconds(seconds or 0, "a pause") })
end

local function inherit(class)
  class.__index = class
  return setmetatable(class, Device)
end

local Pointer, Keyboard, Wheel = inherit {}, inherit {}, inherit {}

local buttons = { left = 0, middle = 1, right = 2, back = 3, forward = 4 }

local function button_number(button)
  local number = button == nil and 0 or buttons[button] or button
  if math.type(number) ~= "integer" or number < 0 then checks.fail("there is no mouse button %s", tostring(button)) end
  return number
end

local move_names = checks.set("x", "y", "duration")

local function move(self, origin, x, y, duration)
  return step(self, {
    type = "pointerMove", origin = origin, x = checks.whole(x, "x"), y = checks.whole(y, "y"),
    duration = checks.milliseconds(duration or MOVE_S, "a duration"),
  })
end

-- pointer:move_to(element, { x =, y =, duration = }): x and y from its middle, in pixels
function Pointer:move_to(element, options)
  options = checks.options(options, move_names, "move_to")
  return move(self, checks.table(element, "what move_to goes to"), options.x or 0, options.y or 0, options.duration)
end

-- pointer:move_by(x, y, [duration]): from where it is
function Pointer:move_by(x, y, duration)
  return move(self, "pointer", x, y, duration)
end

-- pointer:move_at(x, y, [duration]): from the corner of what is in sight
function Pointer:move_at(x, y, duration)
  return move(self, "viewport", x, y, duration)
end

-- pointer:down([button]), pointer:up([button]): left, middle, right or a number
function Pointer:down(button)
  return step(self, { type = "pointerDown", button = button_number(button) })
end

function Pointer:up(button)
  return step(self, { type = "pointerUp", button = button_number(button) })
end

local function key_action(self, kind, key)
  checks.text(key, "a key")
  if utf8.len(key) == 0 or not utf8.len(key) then checks.fail("a key is one character, or one of browser.keys") end
  return step(self, { type = kind, value = key })
end

-- keyboard:down(key), keyboard:up(key)
function Keyboard:down(key)
  return key_action(self, "keyDown", key)
end

function Keyboard:up(key)
  return key_action(self, "keyUp", key)
end

-- keyboard:type(text) → steps, two for each character
function Keyboard:type(text)
  local steps = {}
  checks.text(text, "what is typed")
  if not utf8.len(text) then checks.fail("what is typed is UTF-8") end
  for _, code in utf8.codes(text) do
    steps[#steps + 1] = self:down(utf8.char(code))
    steps[#steps + 1] = self:up(utf8.char(code))
  end
  return steps
end

local scroll_names = checks.set("on", "x", "y", "duration")

-- wheel:scroll(dx, dy, { on = element, x =, y =, duration = }): x and y from the middle of `on`, or in what is in
-- sight; in pixels
function Wheel:scroll(dx, dy, options)
  options = checks.options(options, scroll_names, "scroll")
  return step(self, {
    type = "scroll", origin = options.on or "viewport", x = checks.whole(options.x or 0, "x"),
    y = checks.whole(options.y or 0, "y"), deltaX = checks.whole(dx, "dx"), deltaY = checks.whole(dy, "dy"),
    duration = checks.milliseconds(options.duration or MOVE_S, "a duration"),
  })
end

local function maker(class, kind, pointer_type)
  local prefix = pointer_type or kind
  return function(name)
    return setmetatable({ kind = kind, pointer_type = pointer_type, id = checks.text(name or prefix, "a name") }, class)
  end
end

-- browser.mouse([name]) and so on: two of one kind need two names
actions.makers = {
  mouse = maker(Pointer, "pointer", "mouse"),
  pen = maker(Pointer, "pointer", "pen"),
  touch = maker(Pointer, "pointer", "touch"),
  keyboard = maker(Keyboard, "key"),
  wheel = maker(Wheel, "wheel"),
}

local function flatten(into, part)
  if is_step(part) then
    into[#into + 1] = part
    return into
  end
  for i = 1, rawlen(checks.table(part, "a step")) do flatten(into, part[i]) end
  return into
end

-- A list of steps, from steps and lists of them.
function actions.chain(...)
  local steps = {}
  for i = 1, select("#", ...) do flatten(steps, (select(i, ...))) end
  return steps
end

local function devices_of(steps)
  local order, known = {}, {}
  for _, tick in ipairs(steps) do
    for _, part in ipairs(tick) do
      local other = known[part.device.id]
      if other and other ~= part.device then checks.fail("two devices are named %s", part.device.id) end
      if not other then order[#order + 1] = part.device end
      known[part.device.id] = part.device
    end
  end
  return order
end

-- One action for every tick: those who have nothing to do pause.
local function track(device, steps)
  local list = {}
  for i, tick in ipairs(steps) do
    list[i] = { type = "pause", duration = 0 }
    for _, part in ipairs(tick) do
      if part.device == device then list[i] = part.action end
    end
  end
  return values.list(list)
end

local function seconds_of(steps)
  local milliseconds = 0
  for _, tick in ipairs(steps) do
    local longest = 0
    for _, part in ipairs(tick) do longest = math.max(longest, part.action.duration or 0) end
    milliseconds = milliseconds + longest
  end
  return milliseconds / 1000
end

-- The body of Perform Actions, and how long they take.
function actions.body(...)
  local steps = actions.chain(...)
  local tracks = {}
  for i, device in ipairs(devices_of(steps)) do
    tracks[i] = { type = device.kind, id = device.id, actions = track(device, steps) }
    if device.pointer_type then tracks[i].parameters = { pointerType = device.pointer_type } end
  end
  return values.encode { actions = values.list(tracks) }, seconds_of(steps)
end

return actions
