-- Real browsers: each worker has its own, and waits in the page for what it is to see.
-- Needs chromium and chromium-driver. Try it: tutti run loadtest.lua --target builtin
local tutti = require "tutti"
local browser = require "tutti.browser"

tutti.options { workers = 2, runs = 3 }

tutti.scenario("a form", function(worker)
  local page = browser.of(worker) -- opened at the first step, kept for the others
  page:open("/page") -- follows --target
  page:execute("document.body.innerHTML = '<input id=name><p id=hello></p>'")
  page:execute("document.querySelector('#name').oninput = e => { hello.textContent = 'hello ' + e.target.value }")
  page:find("#name"):send_keys("worker " .. worker.id)
  local text, seen_at = page:wait_for_text("#hello", "hello worker " .. worker.id)
  assert(text and seen_at) -- seen_at: when the page had it, by its own clock
end)
