-- Waits until a page shows something: in the page itself, which knows exactly when it does.
local import, native = ...
local checks = import "checks"
local elements = import "elements"
local errors = import "errors"
local json = import "json"
local locators = import "locators"
local objects = import "objects"
local pages = import "pages"
local tutti = import "tutti"
local values = import "values"
local windows = import "windows"
local watch_script = values.encode(import "watch.js")
local page = {}

-- One request waits this long in the page, then the next one continues the same watch: commands of a session queue up
-- at its driver, so a stop is delayed by at most this.
local SLICE_S = 1
local POLL_S = 0.1
-- A page that is being left is asked again after this long.
local RETRY_S = 0.02

local unsupported = checks.set("unknown command", "unknown method", "unsupported operation")

-- The answers of drivers if the page is left while it runs the script.
local leavings = { "unload", "navigat", "ontext", "aborted", "can't access dead object", "destroyed" }

local function is_left(failure)
  if failure.error == "script timeout" then return true end
  if failure.error ~= "javascript error" and failure.error ~= "unknown error" then return false end
  for _, words in ipairs(leavings) do
    if string.find(failure.details or "", words, 1, true) then return true end
  end
  return false
end

local serial = 0

local function new_id()
  serial = serial + 1
  return string.format("%d-%.6f", serial, native.wall())
end

-- A wait in progress: session, spec, name, doing, deadline, timeout, is_polled. Scripts cannot see it.
local Wait = {}
Wait.__index = Wait

-- Calls `f(self)` within the frames of the path, entered one by one; for frames that the page cannot access.
function Wait:in_frames(f)
  local frames = self.spec.frames
  self.spec.frames = values.list {}
  local ok, failure, answer = pcall(windows.within, self.session, frames, f, self)
  self.spec.frames = frames
  if ok then return failure, answer end
  if type(failure) == "table" and (failure.error == "no such element" or failure.error == "no such frame") then
    return nil, { pending = true }
  end
  error(failure, 0)
end

-- One request that waits at most this many seconds: returns a failure, or nil and the page's answer.
function Wait:ask(patience)
  local left = math.max(self.deadline - tutti.now(), 0)
  patience = math.min(left, patience or SLICE_S, self.session.times.script / 2)
  self.spec.left = checks.milliseconds(left, "")
  local arguments = values.encode_arguments(self.spec, checks.milliseconds(patience, ""))
  local how = self.is_polled and "sync" or "async"
  local body = string.format('{"script":%s,"args":%s}', watch_script, arguments)
  return pages.attempt(self.session, self.doing, "POST", "/execute/" .. how, body, patience)
end

function Wait:raise_timeout(answer)
  local state = "it is not there"
  if self.spec.state == "gone" then
    state = "it is still there"
  elseif answer and type(answer.shown) == "string" then
    state = string.format("what it shows is \"%s\"", answer.shown)
  elseif answer and answer.found then
    state = "it is there, but not as it should be"
  end
  errors.raise {
    error = "timeout", waited = self.timeout, gone = false,
    message = string.format("%s: timeout: after %g s %s", self.doing, self.timeout, state),
  }
end

-- Evaluates an answer: true if it is the last one.
function Wait:take(failure, answer)
  if failure then
    if unsupported[failure.error] and not self.is_polled then
      self.is_polled = true
      return false
    end
    if failure.gone or not is_left(failure) then errors.raise(failure) end
    tutti.sleep(RETRY_S)
    return false
  end
  if type(answer) ~= "table" then
    errors.raise { error = "javascript error", message = self.doing .. ": the page's answer is invalid", gone = false }
  end
  if answer.invalid then
    errors.raise { error = "invalid selector", message = self.doing .. ": " .. tostring(answer.invalid), gone = false }
  end
  if answer.unreachable then
    if not self.spec.frames[1] then errors.raise { error = "no such frame", message = self.doing .. ": no such frame" } end
    self.is_entered = true
    return false
  end
  if not answer.pending and not answer.expired then return true end
  self.last = answer
  if self.is_polled or self.is_entered then tutti.sleep(POLL_S) end
  return false
end

function Wait:run()
  repeat
    local failure, answer
    if self.is_entered then
      failure, answer = self:in_frames(self.ask)
    else
      failure, answer = self:ask()
    end
    if self:take(failure, answer) then return answer end
  until tutti.now() >= self.deadline
  self:raise_timeout(self.last)
end

local function record(self, is_ok, began, is_polled)
  native.record(string.format("browser %s%s", self.name, is_polled and " (polled)" or ""), is_ok, began, self.session.tags)
end

-- Runs the wait, unless there is already an answer; returns the page's answer, when that was, and how it was detected.
local function finish(self, early)
  local began = tutti.now()
  local ok, answer = true, early
  if not early then ok, answer = pcall(self.run, self) end
  local is_polled = self.is_polled or (ok and answer.polled) or false
  record(self, ok, began, is_polled)
  if not ok then error(answer, 0) end
  local sighting = {
    seen_at = checks.number(answer.at, "the instant that the page tells") / 1000, polled = is_polled,
    at_once = answer.at_once or false, waited = tutti.now() - began, browser = self.session.browser,
  }
  return answer, sighting.seen_at, sighting
end

local wait_names = checks.set("timeout", "visible", "by", "within", "exact", "pattern")

local function new_wait(session, name, where, options, more)
  options = checks.options(options, wait_names, name)
  local frames, selector = locators.path(where)
  local timeout = options.timeout and checks.seconds(options.timeout, "a timeout") or session.wait_s
  local spec = {
    id = new_id(), frames = values.list(frames), by = locators.strategy(options.by), value = selector,
    within = options.within, visible = options.visible or false, exact = options.exact or false,
    pattern = json.null, state = more.state, text = more.text,
  }
  if options.pattern then
    spec.pattern, spec.text = checks.text(more.text, "a pattern"), nil
  end
  return setmetatable({
    session = session, name = name, doing = name .. " " .. table.concat(frames, " > ") .. (frames[1] and " > " or "") .. selector,
    spec = spec, timeout = timeout, deadline = tutti.now() + timeout, is_polled = false,
  }, Wait)
end

-- page:wait_for(where, { timeout =, visible =, by =, within = }) → the element (true if it is in a nested frame),
-- seen_at, sighting
function page:wait_for(where, options)
  local answer, seen_at, sighting = finish(new_wait(pages.of(self), "wait_for", where, options, { state = "present" }))
  local element = answer.element or true
  elements.set_name(answer.element, select(2, locators.path(where)))
  return element, seen_at, sighting
end

-- page:wait_for_gone(where, options) → true, seen_at, sighting; with `visible` it may exist unseen
function page:wait_for_gone(where, options)
  local _, seen_at, sighting = finish(new_wait(pages.of(self), "wait_for_gone", where, options, { state = "gone" }))
  return true, seen_at, sighting
end

-- page:wait_for_text(where, text, options) → the whole text, seen_at, sighting. `exact`: nothing else;
-- `pattern`: it is a regular expression of JavaScript
function page:wait_for_text(where, text, options)
  text = checks.text(text, "the text")
  local answer, seen_at, sighting = finish(new_wait(pages.of(self), "wait_for_text", where, options, { state = "text", text = text }))
  return answer.text, seen_at, sighting
end

-- A watch in progress in the page while the worker does something else. Its inside: wait, answer; text and sighting once it
-- was awaited.
local watches = objects.class "watch"
local Watch = watches.methods

-- How long a watch stays in the page without being queried.
local WATCH_KEPT_S = 600

-- page:watch_text(where, text, options) → a watch: the page watches from now on, while nobody waits
function page:watch_text(where, text, options)
  text = checks.text(text, "the text")
  local wait = new_wait(pages.of(self), "watch_text", where, options, { state = "text", text = text })
  wait.deadline = tutti.now() + WATCH_KEPT_S
  local failure, answer = wait:ask(0)
  return watches.new { wait = wait, answer = wait:take(failure, answer) and answer or nil }
end

-- watch:wait([timeout]) → the whole text, seen_at, sighting, as from wait_for_text; again: the same
function Watch:wait(timeout)
  local watch = watches.of(self)
  local wait = watch.wait
  if not watch.text then
    if timeout then wait.timeout = checks.seconds(timeout, "a timeout") end
    wait.deadline = tutti.now() + wait.timeout
    local answer, _, sighting = finish(wait, watch.answer)
    watch.text, watch.sighting = answer.text, sighting
  end
  return watch.text, watch.sighting.seen_at, watch.sighting
end

local until_names = checks.set("timeout", "interval", "ignore", "name")

local function is_ignored(failure, ignored)
  if type(failure) ~= "table" then return false end
  local name = rawget(failure, "error")
  for _, other in ipairs(ignored) do
    if rawequal(name, other) then return true end
  end
  return false
end

-- page:wait_until(f, { timeout =, interval =, ignore = { "no such element" }, name = }) → the result of f as soon as it
-- is neither nil nor false, seen_at, sighting. This one polls.
function page:wait_until(f, options)
  local session = pages.of(self)
  options = checks.options(options, until_names, "wait_until")
  checks.callable(f, "what wait_until calls")
  local timeout = options.timeout and checks.seconds(options.timeout, "a timeout") or session.wait_s
  local ignored = checks.texts(options.ignore or {}, "ignore", "the name of an error")
  local interval = checks.seconds(options.interval or POLL_S, "interval")
  local began, last = tutti.now(), nil
  local wait = { session = session, name = options.name and checks.text(options.name, "name") or "wait_until" }
  repeat
    local ok, result = pcall(f, self)
    if ok and result then
      local seen_at = native.wall()
      record(wait, true, began, true)
      return result, seen_at, { seen_at = seen_at, polled = true, at_once = false, waited = tutti.now() - began, browser = session.browser }
    end
    if not ok and not is_ignored(result, ignored) then error(result, 0) end
    last = not ok and result or nil
    tutti.sleep(interval)
  until tutti.now() >= began + timeout
  record(wait, false, began, true)
  local why = type(last) == "table" and rawget(last, "message")
  errors.raise {
    error = "timeout", waited = timeout, gone = false,
    message = string.format("%s: timeout: after %g s it does not hold%s", wait.name, timeout,
      type(why) == "string" and ": " .. why or ""),
  }
end

return { page = page }
