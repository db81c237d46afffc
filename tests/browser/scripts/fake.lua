-- What tutti.browser makes of answers, against a WebDriver that a test plays.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"
local same, fails, refuses = common.same, common.fails, common.refuses

local function page_of(worker)
  return browser.of(worker, common.options())
end

tutti.scenario("every error", function(worker)
  local page = page_of(worker)
  local count = 0
  for constant, name in pairs(browser.errors) do
    if name ~= "invalid session id" then
      local failure = fails(name, page.find, page, "error:" .. name)
      same(failure.message, ("find error:%s: %s: on purpose"):format(name, name))
      same({ failure.stacktrace, failure.gone, failure.details }, { "#0 here\n#1 there", false, "on purpose" })
      same(constant, name:upper():gsub(" ", "_"), nil)
      count = count + 1
    end
  end
  assert(count >= 31, count)
  local own = fails("brand new error", page.find, page, "error:brand new error")
  same(own.message, "find error:brand new error: brand new error: on purpose")
  assert(#fails("unknown error", page.find, page, "long:").message < 1000)
  local lines = fails("javascript error", page.find, page, "lines:")
  same(lines.message, "find lines:: javascript error: first")
  same({ lines.data.text, (select(2, lines.details:gsub("\n", ""))) }, { "what it said", 2 })
  same(fails("unknown error", page.find, page, "old:").message, "find old:: unknown error: an old driver")
  assert(("it said: " .. lines):find("it said: common.lua:", 1, true))
end)

tutti.scenario("broken answers", function(worker)
  local page = page_of(worker)
  for _, what in ipairs { "html:", "empty:", "text:[1", "text:[]", "text:7", "text:{}", "text:\"value\"", "bytes:", "deep:" } do
    local failure = fails("unknown error", page.find, page, what)
    assert(failure.message:find("the answer is not from a WebDriver", 1, true), failure.message)
    same(failure.gone, false)
  end
  local failure = fails("unknown error", page.find, page, "huge:")
  assert(failure.message:find("larger than 67108864 bytes", 1, true), failure.message)
  same({ failure.kind, failure.gone }, { "too_large", false })
  same(page:title(), "a title")
  page:find("element:../../x?y#z"):click()
end)

tutti.scenario("slow answers", function(worker)
  local page = browser.open(common.options { command = 0.3 })
  local began = tutti.now()
  local failure = fails("timeout", page.find, page, "slow:")
  same(failure.message, "the browser has gone: find slow:: the driver has not answered within 0.3 s")
  assert(tutti.now() - began < 5)
  same({ failure.gone, page:is_open() }, { true, false })
  same(fails("timeout", page.title, page).message, failure.message)
end)

-- A driver says in time that a script or page takes too long; then the page is asked whether it is there at all.
tutti.scenario("hung pages", function(worker)
  local page = page_of(worker)
  same(fails("script timeout", page.find, page, "error:script timeout").gone, false)
  assert(page:is_open())
  local failure = fails("timeout", page.find, page, "hangs:")
  same(failure.message, "the browser has gone: find hangs:: timeout: renderer")
  same({ failure.gone, page:is_open() }, { true, false })
  assert(page_of(worker) ~= page and page_of(worker):is_open())
end)

tutti.scenario("gone", function(worker)
  for _, what in ipairs { "reset:", "cut:", "error:invalid session id" } do
    local page = page_of(worker)
    local name = what:match("^error:(.*)") or "unknown error"
    local failure = fails(name, page.find, page, what)
    assert(failure.message:find("^the browser has gone: find "), failure.message)
    same({ failure.gone, page:is_open() }, { true, false })
    same(fails(name, page.title, page).message, failure.message)
    assert(page_of(worker) ~= page and page_of(worker):is_open())
  end
end)

tutti.scenario("wrong calls", function(worker)
  refuses("unknown option", browser.open, { headles = true })
  refuses("there is no browser opera", browser.open, common.options { browser = "opera" })
  refuses("remote is http://HOST:PORT", browser.open, common.options { remote = "ftp://x" })
  refuses("must be a number", browser.open, common.options { wait = "long" })
  refuses("the worker whose turn it is", browser.of, {})
  local failure = fails("unknown error", browser.open, common.options { remote = "http://127.0.0.1:1" })
  assert(failure.message:find("open chromium at http://127.0.0.1:1", 1, true), failure.message)
end)
