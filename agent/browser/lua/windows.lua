-- Windows, frames and dialogues.
local import = ...
local checks = import "checks"
local elements = import "elements"
local locators = import "locators"
local pages = import "pages"
local values = import "values"
local of, ask, post = pages.of, pages.ask, pages.post
local page = {}

-- page:window() → the handle of the current one
function page:window()
  return ask(of(self), "window", "/window")
end

-- page:windows() → the handles of all
function page:windows()
  return ask(of(self), "windows", "/window/handles")
end

function page:switch_to_window(handle)
  post(of(self), "switch_to_window", "/window", { handle = checks.text(handle, "the handle of a window") })
end

-- page:new_window(["tab" | "window"]) → its handle, its actual type; it is not switched to
function page:new_window(kind)
  kind = kind or "tab"
  if kind ~= "tab" and kind ~= "window" then checks.fail("new_window: expected a tab or a window, not %s", tostring(kind)) end
  local made = post(of(self), "new_window", "/window/new", { type = kind })
  return made.handle, made.type
end

-- page:close_window() → the handles that are left
function page:close_window()
  return pages.command(of(self), "close_window", "close_window", "DELETE", "/window")
end

-- page:window_rect() → { x =, y =, width =, height = }
function page:window_rect()
  return ask(of(self), "window_rect", "/window/rect")
end

local rect_names = checks.set("x", "y", "width", "height")

-- page:set_window_rect { x =, y =, width =, height = } → the actual one
function page:set_window_rect(rect)
  local body = {}
  for name, value in next, checks.options(rect, rect_names, "set_window_rect") do
    body[name] = checks.whole(value, name)
  end
  return post(of(self), "set_window_rect", "/window/rect", body)
end

function page:maximize()
  return post(of(self), "maximize", "/window/maximize")
end

function page:minimize()
  return post(of(self), "minimize", "/window/minimize")
end

function page:fullscreen()
  return post(of(self), "fullscreen", "/window/fullscreen")
end

-- Enters a frame: an element, a selector, or a number from 0.
local function enter(session, which)
  local id = which
  if type(which) == "string" then id = elements.look_for_one(session, "/element", "", which) end
  local element = elements.find(id)
  if not element and math.type(id) ~= "integer" then
    checks.fail("frame: expected an element, a selector or an integer, not a %s", type(which))
  end
  local name = element and (element.name or tostring(id)) or tostring(id)
  pages.command(session, "frame", "frame " .. name, "POST", "/frame", values.encode { id = id })
end

local function leave(session)
  post(session, "parent_frame", "/frame/parent")
end

-- page:frame(which): an element, a selector, or a number from 0
function page:frame(which)
  enter(of(self), which)
end

function page:parent_frame()
  leave(of(self))
end

-- page:top_frame(): the whole page again
function page:top_frame()
  pages.command(of(self), "top_frame", "top_frame", "POST", "/frame", '{"id":null}')
end

-- Returns the result of a call after leaving `count` frames, whatever it was.
local function finish(session, count, ok, ...)
  for _ = 1, count do
    if pages.is_open(session) then leave(session) end
  end
  if not ok then error(..., 0) end
  return ...
end

-- The result of f(…) within the frames of the list, entered one by one.
local function within(session, frames, f, ...)
  for depth, selector in ipairs(frames) do
    local ok, failure = pcall(enter, session, selector)
    if not ok then finish(session, depth - 1, false, failure) end
  end
  return finish(session, #frames, pcall(f, ...))
end

-- page:in_frame(path, f, …) → the result of f(…); `path` is a selector or a list of them, from frame to frame
function page:in_frame(path, f, ...)
  checks.callable(f, "what in_frame calls")
  local frames, last = locators.path(path)
  frames[#frames + 1] = last
  return within(of(self), frames, f, ...)
end

-- The dialogue that is open (alert, confirm, prompt); raises "no such alert" if there is none.

function page:alert_text()
  return ask(of(self), "alert_text", "/alert/text")
end

function page:send_alert_text(text)
  post(of(self), "send_alert_text", "/alert/text", { text = checks.text(text, "the text") })
end

function page:accept_alert()
  post(of(self), "accept_alert", "/alert/accept")
end

function page:dismiss_alert()
  post(of(self), "dismiss_alert", "/alert/dismiss")
end

return { page = page, within = within }
