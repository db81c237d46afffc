-- A user of a pad with a real browser, for the scene of scene.lua: it does with keys and the page what pad_user.lua does by protocol.
local browser = require "tutti.browser"

local browser_user = {}
browser_user.__index = browser_user

local FRAMES = { 'iframe[name="ace_outer"]', 'iframe[name="ace_inner"]' }
local EDITABLE = '#innerdocbody[contenteditable="true"]'
local TIMEOUT_S = 60 -- a browser among hundreds of users on one machine takes its time

-- Each line is a div. A page shows some spaces as no-break spaces.
local TEXT = [[return [...document.querySelectorAll("#innerdocbody > div")].map(line => line.textContent + "\n").join("").replace(/\u00a0/g, " ")]]

--- Opens the pad in a browser, and returns its user.
function browser_user.join(pad)
  local page = browser.open { wait = TIMEOUT_S }
  page:open("/p/" .. pad)
  page:wait_for { FRAMES[1], FRAMES[2], EDITABLE }
  page:frame(FRAMES[1])
  page:frame(FRAMES[2])
  return setmetatable({ page = page, editor = page:find(EDITABLE) }, browser_user)
end

function browser_user:text()
  return self.page:execute(TEXT)
end

function browser_user:watch(lines)
  local watches = {}
  for key, line in pairs(lines) do watches[key] = self.page:watch_text(EDITABLE, line) end
  return watches
end

--- Returns when the page had it, in seconds since 1970, and whether it was already there.
function browser_user:see(watch)
  local _, seen_at, sighting = watch:wait(TIMEOUT_S)
  return seen_at, sighting.at_once
end

--- Types a line. Returns when the page had it, in seconds since 1970.
function browser_user:write_line(number, line)
  local keys = browser.keys
  local watch = self.page:watch_text(EDITABLE, line)
  local keyboard = browser.keyboard()
  self.editor:click()
  self.page:perform(keyboard:down(keys.CONTROL), keyboard:down(keys.HOME), keyboard:up(keys.HOME), keyboard:up(keys.CONTROL))
  self.editor:send_keys(keys.DOWN:rep(number) .. keys.HOME .. line .. keys.ENTER)
  return (self:see(watch))
end

--- Waits until the page shows this text, the server's at the revision.
function browser_user:reach(_, text)
  self.page:wait_until(function() return self:text() == text end, { timeout = TIMEOUT_S })
end

-- The page does by itself what these wait for, and shows neither revisions nor changesets. Lines are left where they are.
function browser_user:meet() end
function browser_user:settle() end
function browser_user:count_accepted() end
function browser_user:remove_line() end

function browser_user:leave()
  self.page:close()
end

return browser_user
