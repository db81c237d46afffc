-- Windows, frames and dialogues.
local import = ...
local checks = import "checks"
local locators = import "locators"
local values = import "values"
local page = {}

-- page:window() → the handle of the current one
function page:window()
  return self:ask("window", "/window")
end

-- page:windows() → the handles of all
function page:windows()
  return self:ask("windows", "/window/handles")
end

function page:switch_to_window(handle)
  self:post("switch_to_window", "/window", { handle = checks.text(handle, "the handle of a window") })
end

-- page:new_window(["tab" | "window"]) → its handle, what it became; it is not switched to
function page:new_window(kind)
  kind = kind or "tab"
  if kind ~= "tab" and kind ~= "window" then checks.fail("new_window: a tab or a window, not %s", tostring(kind)) end
  local made = self:post("new_window", "/window/new", { type = kind })
  return made.handle, made.type
end

-- page:close_window() → the handles that are left
function page:close_window()
  return self:command("close_window", "close_window", "DELETE", "/window")
end

-- page:window_rect() → { x =, y =, width =, height = }
function page:window_rect()
  return self:ask("window_rect", "/window/rect")
end

local rect_names = checks.set("x", "y", "width", "height")

-- page:set_window_rect { x =, y =, width =, height = } → what it became
function page:set_window_rect(rect)
  local body = {}
  for name, value in pairs(checks.options(rect, rect_names, "set_window_rect")) do
    body[name] = checks.whole(value, name)
  end
  return self:post("set_window_rect", "/window/rect", body)
end

function page:maximize()
  return self:post("maximize", "/window/maximize")
end

function page:minimize()
  return self:post("minimize", "/window/minimize")
end

function page:fullscreen()
  return self:post("fullscreen", "/window/fullscreen")
end

-- page:frame(which): an element, a selector, or a number from 0
function page:frame(which)
  local id = which
  if type(which) == "string" then
    id = self:find(which)
  elseif math.type(which) ~= "integer" and getmetatable(which) ~= getmetatable(values.new_element(self, "")) then
    checks.fail("frame: a frame is an element, a selector or a whole number, not a %s", type(which))
  end
  local name = type(which) == "table" and which.name or which
  self:command("frame", "frame " .. tostring(name), "POST", "/frame", values.encode { id = id })
end

function page:parent_frame()
  self:post("parent_frame", "/frame/parent")
end

-- page:top_frame(): the whole page again
function page:top_frame()
  self:command("top_frame", "top_frame", "POST", "/frame", '{"id":null}')
end

-- Calls f and goes up `count` frames, whatever came of it.
local function finish(self, count, ok, ...)
  for _ = 1, count do
    if self:is_open() then self:parent_frame() end
  end
  if not ok then error(..., 0) end
  return ...
end

-- page:in_frame(path, f, …) → what f(…) gives; `path` is a selector or a list of them, from frame to frame
function page:in_frame(path, f, ...)
  checks.callable(f, "what in_frame calls")
  local frames, last = locators.path(path)
  frames[#frames + 1] = last
  for depth, selector in ipairs(frames) do
    local ok, failure = pcall(self.frame, self, selector)
    if not ok then finish(self, depth - 1, false, failure) end
  end
  return finish(self, #frames, pcall(f, ...))
end

-- The dialogue that is open (alert, confirm, prompt); the error "no such alert" where there is none.

function page:alert_text()
  return self:ask("alert_text", "/alert/text")
end

function page:send_alert_text(text)
  self:post("send_alert_text", "/alert/text", { text = checks.text(text, "the text") })
end

function page:accept_alert()
  self:post("accept_alert", "/alert/accept")
end

function page:dismiss_alert()
  self:post("dismiss_alert", "/alert/dismiss")
end

return { page = page }
