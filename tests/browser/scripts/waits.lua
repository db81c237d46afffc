-- Waiting in the page: what it sees, and that it dates it by the page's own clock, to the moment.
local tutti = require "tutti"
local browser = require "tutti.browser"
local common = require "common"
local same, fails, refuses = common.same, common.fails, common.refuses

-- A change is seen in the same turn of the page's loop: the clock there counts tenths of milliseconds.
local CLOSE_S = 0.005

local function near(seen_at, changed, what)
  if math.abs(seen_at - changed) > CLOSE_S then
    error(("%s: seen %.1f ms after it changed"):format(what, (seen_at - changed) * 1000), 2)
  end
end

local function later(page, ms, change)
  page:execute(("window.changed = null; later(%d, () => { %s })"):format(ms, change))
end

local function changed(page)
  return page:execute("return window.changed")
end

-- Does it, waits for it, and judges both the moment and how it was found.
local function sees(page, name, change, wait)
  later(page, 150, change)
  local value, seen_at, sighting = wait()
  near(seen_at, changed(page), name)
  same({ sighting.polled, sighting.at_once, seen_at == sighting.seen_at }, { false, false, true })
  return value
end

tutti.scenario("elements", function(worker)
  local page = common.page(worker, "/waits.html")
  local element = sees(page, "added", "box.innerHTML = '<b id=new>there</b>'", function() return page:wait_for("#new") end)
  same(element:text(), "there")
  sees(page, "an attribute", "box.className = 'on'", function() return page:wait_for("#box.on") end)
  sees(page, "by xpath", "box.innerHTML = '<i>x</i>'", function() return page:wait_for("//div/i", { by = "xpath" }) end)
  sees(page, "by link text", "box.innerHTML = '<a>Go on</a>'", function() return page:wait_for("Go on", { by = "link text" }) end)
  sees(page, "part of a link", "box.innerHTML = '<a>Go on and on</a>'", function()
    return page:wait_for("and on", { by = "partial link text" })
  end)
  sees(page, "by tag", "box.innerHTML = '<u>x</u>'", function() return page:wait_for("u", { by = "tag name" }) end)
  sees(page, "gone", "box.innerHTML = ''", function() return page:wait_for_gone("u", { by = "tag name" }) end)
  page:execute("box.innerHTML = '<p id=p style=\"display: none\">p</p>'")
  sees(page, "shown", "p.style.display = ''", function() return page:wait_for("#p", { visible = true }) end)
  sees(page, "hidden", "p.style.visibility = 'hidden'", function() return page:wait_for_gone("#p", { visible = true }) end)
  local _, _, sighting = page:wait_for("#box")
  same({ sighting.at_once, sighting.polled }, { true, false })
end)

tutti.scenario("texts", function(worker)
  local page = common.page(worker, "/waits.html")
  same(sees(page, "text", "box.textContent = 'a line of text'", function() return page:wait_for_text("#box", "line of") end), "a line of text")
  sees(page, "a letter", "box.firstChild.data = 'another'", function() return page:wait_for_text("#box", "another") end)
  sees(page, "exactly", "box.textContent = ' just this '", function() return page:wait_for_text("#box", "just this", { exact = true }) end)
  sees(page, "a pattern", "box.textContent = 'round 17'", function() return page:wait_for_text("#box", "^round \\d+$", { pattern = true }) end)
  sees(page, "lines", "box.innerHTML = '<div>one</div><div>two&nbsp;three</div>'", function()
    return page:wait_for_text("#box", "one\ntwo three")
  end)
  sees(page, "upper case", "box.innerHTML = '<span style=\"text-transform: uppercase\">loud</span>'", function()
    return page:wait_for_text("#box", "LOUD")
  end)
  sees(page, "typed", "field.value = 'typed'; field.dispatchEvent(new Event('input'))", function()
    return page:wait_for_text("#field", "typed")
  end)
  page:execute("box.textContent = 'now'")
  -- What is there but unseen is no text.
  page:execute("box.innerHTML = '<span style=\"display: none\">secret</span>'")
  local failure = fails("timeout", function() page:wait_for_text("#box", "secret", { timeout = 0.3 }) end)
  assert(failure.message:find('waits.lua', 1, true) == nil and failure.message:find('after 0.3 s what it shows is ""', 1, true), failure.message)
  assert(tostring(failure):find("waits.lua:%d+: wait_for_text #box: timeout"), tostring(failure))
  -- A value that a script sets makes no noise: found by looking, and marked.
  later(page, 150, "field.value = 'silent'")
  local _, seen_at, sighting = page:wait_for_text("#field", "silent")
  same(sighting.polled, true)
  assert(seen_at - changed(page) < 0.3)
end)

tutti.scenario("watches", function(worker)
  local page = common.page(worker, "/waits.html")
  later(page, 100, "box.textContent = 'while nobody asks'")
  local watch = page:watch_text("#box", "nobody")
  tutti.sleep(0.4)
  local text, seen_at, sighting = watch:wait()
  near(seen_at, changed(page), "a watch")
  same({ text, sighting.at_once, sighting.polled }, { "while nobody asks", false, false })
  same({ watch:wait() }, { text, seen_at, sighting })
  -- What is there already, and what never comes.
  local _, _, early = page:watch_text("#box", "while"):wait()
  same(early.at_once, true)
  local failure = fails("timeout", function() page:watch_text("#box", "never"):wait(0.3) end)
  assert(failure.message:find("watch_text #box: timeout: after 0.3 s", 1, true), failure.message)
  -- The page answers when it has it, or when so long as the request says is over; not at once, to be asked again and again.
  watch = page:watch_text("#box", "never")
  page:execute([[const watches = window[Symbol.for("tutti.watches")], get = watches.get;
    window.asked = 0; watches.get = id => { window.asked++; return get.call(watches, id); };]])
  fails("timeout", function() watch:wait(1.5) end)
  local asked = page:execute("delete window[Symbol.for('tutti.watches')].get; return window.asked")
  assert(asked >= 2 and asked <= 3, asked .. " requests in 1.5 s")
  -- And it looks out no longer than somebody may ask.
  page:wait_until(function() return page:execute("return window[Symbol.for('tutti.watches')].size === 0") end, { timeout = 3 })
  -- A page that is left takes its watches with it, and the new one is watched instead.
  watch = page:watch_text("#box", "on the new page")
  page:refresh()
  later(page, 150, "box.textContent = 'on the new page'")
  text, seen_at = watch:wait()
  same(text, "on the new page")
end)

tutti.scenario("frames", function(worker)
  local page = common.page(worker, "/waits.html")
  local pad = { "#inner", "#innermost", "#pad" }
  same(page:wait_for(pad), true)
  sees(page, "two frames down", "innermost().querySelector('#pad').innerHTML = '<div>second line</div>'", function()
    return page:wait_for_text(pad, "second line")
  end)
  -- A frame that is loaded again while a worker waits for what is in it.
  later(page, 100, "document.querySelector('#inner').src = 'inner.html?again'")
  page:execute("document.querySelector('#inner').addEventListener('load', () => { later(400, () => { innermost().querySelector('#pad').textContent = 'reloaded' }) })")
  same((page:wait_for_text(pad, "reloaded")), "reloaded")
  later(page, 100, "document.querySelector('#inner').remove()")
  same((page:wait_for_gone(pad)), true)
  -- Within a frame that was entered.
  page:refresh()
  page:in_frame({ "#inner", "#innermost" }, function()
    page:execute("setTimeout(() => { pad.textContent = 'from inside' }, 100)")
    same((page:wait_for_text("#pad", "from inside")), "from inside")
  end)
end)

tutti.scenario("another origin", function(worker)
  local page = common.page(worker, "/stranger.html")
  local where = { "#stranger", "#box" }
  same((page:wait_for_text(where, "empty")), "empty")
  page:in_frame("#stranger", function() later(page, 300, "box.textContent = 'from afar'") end)
  local _, seen_at = page:wait_for_text(where, "from afar")
  page:in_frame("#stranger", function() near(seen_at, changed(page), "from afar") end)
  same(page:execute("return window === top"), true)
  fails("timeout", function() page:wait_for_text(where, "never", { timeout = 0.4 }) end)
end)

tutti.scenario("shadow", function(worker)
  local page = common.page(worker, "/waits.html")
  local root = page:find("#host"):shadow_root()
  local text = sees(page, "in the shade", "document.querySelector('#host').shadowRoot.querySelector('p').textContent = 'shady'", function()
    return page:wait_for_text("p", "shady", { within = root })
  end)
  same(text, "shady")
  sees(page, "within", "box.innerHTML = '<b>x</b>'", function() return page:wait_for("b", { within = page:find("#box") }) end)
end)

tutti.scenario("leaving the page", function(worker)
  local page = common.page(worker, "/waits.html")
  page:execute("setTimeout(() => { location.href = '/slow/300' }, 200)")
  local element = page:wait_for("#second")
  same({ element:text(), page:title() }, { "second", "Second page" })
end)

tutti.scenario("longer than a request", function(worker)
  local page = common.page(worker, "/waits.html")
  -- Two and a half times what one request waits, with a change that is gone again before the next one asks.
  sees(page, "slowly", "setTimeout(() => { box.textContent = 'empty' }, 5); box.textContent = 'a flash'", function()
    return page:wait_for_text("#box", "a flash")
  end)
  later(page, 2500, "box.textContent = 'late'")
  local _, seen_at, sighting = page:wait_for_text("#box", "late")
  near(seen_at, changed(page), "late")
  assert(sighting.waited > 2 and not sighting.polled)
  page:set_timeouts { script = 0.3 }
  later(page, 800, "box.textContent = 'impatient'")
  local _, at = page:wait_for_text("#box", "impatient")
  near(at, changed(page), "impatient")
  page:set_timeouts { script = 30 }
end)

tutti.scenario("until", function(worker)
  local page = common.page(worker, "/waits.html")
  later(page, 200, "box.textContent = 'done'")
  local value, seen_at, sighting = page:wait_until(function(same_page)
    assert(same_page == page)
    return page:find("#box"):text() == "done" and 7
  end, { interval = 0.02 })
  same({ value, sighting.polled }, { 7, true })
  assert(seen_at >= changed(page) and seen_at < changed(page) + 1)
  fails("no such element", function() page:wait_until(function() return page:find("#none") end) end)
  local failure = fails("timeout", function()
    page:wait_until(function() return page:find("#none") end, { ignore = { "no such element" }, timeout = 0.3, name = "for none" })
  end)
  assert(failure.message:find("for none: timeout: after 0.3 s it does not hold: find #none", 1, true), failure.message)
  refuses("on purpose", function() page:wait_until(function() error("on purpose") end) end)
end)

tutti.scenario("wrong calls", function(worker)
  local page = common.page(worker, "/waits.html")
  fails("invalid selector", function() page:wait_for("]]") end)
  fails("invalid selector", function() page:wait_for_text("#box", "(", { pattern = true }) end)
  refuses("unknown option", page.wait_for, page, "#box", { patience = 1 })
  refuses("a list of frames and a selector", page.wait_for, page, {})
  refuses("must be a string", page.wait_for_text, page, "#box", nil)
  fails("timeout", function() page:wait_for({ "#none", "#box" }, { timeout = 0.2 }) end)
  local _, _, sighting = page:wait_for_gone({ "#none", "#box" }, { timeout = 0.2 })
  same(sighting.at_once, true)
end)
