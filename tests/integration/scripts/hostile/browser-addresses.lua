-- browser: chromium firefox
-- The agent's files and the browser's own pages, by every spelling of an address and from within a page.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

tutti.scenario("x", function(worker)
  local page = browser.of(worker, { base = false })
  local secret = lib.prey .. "/secret"
  for _, address in ipairs { "file://" .. secret, "FILE://" .. secret, " file://" .. secret, "\tfile://" .. secret, "fi\tle://" .. secret, "\1file://" .. secret,
    "file:" .. secret, "view-source:file://" .. secret, "view-source:http://a/", "chrome://version", "chrome:version", "about:version", "about:config",
    "about:about", "about:memory", "about:blank/../version", "ABOUT:VERSION", "devtools://devtools/bundled/inspector.html", "chrome-extension://x/",
    "javascript:1", "filesystem:http://a/", "ftp://a/", "blob\n:x", "http\n:x", "resource://x", "moz-extension://x", "jar:file://" .. secret .. "!/", "feed:x", "",
    "about", "\u{A0}file://" .. secret } do
    if pcall(page.open, page, address) then lib.look_at(page:source()) lib.escaped(address) end
  end
  for _, start in ipairs { "about:blank", "data:text/html,<a id=a>x</a>", lib.origin .. "/page" } do
    page:open(start)
    for _, script in ipairs { "location.href = %q", "window.open(%q)", "const a = document.createElement('a'); a.href = %q; document.body.append(a); a.click()",
      "const f = document.createElement('iframe'); f.src = %q; document.body.append(f)", "location.replace('view-source:' + %q)", "location.assign(%q)",
      "const f = document.createElement('object'); f.data = %q; document.body.append(f)", "document.location = 'about:version' || %q" } do
      pcall(page.execute, page, script:format("file://" .. secret))
      pcall(page.execute, page, script:format("chrome://version"))
    end
    tutti.sleep(0.2)
    for _, handle in ipairs(page:windows()) do
      page:switch_to_window(handle)
      local url = page:url()
      if url:find("^file:") or url:find("^chrome:") or url:find("^view%-source:file") then lib.escaped(url) end
      lib.look_at(page:source())
    end
    local text = page:execute_async("const done = arguments[1]; fetch(arguments[0]).then(r => r.text()).then(done, e => done(String(e)))", "file://" .. secret)
    lib.look_at(text)
    if page:execute("return frames.length") > 0 and pcall(page.frame, page, 0) then lib.look_at(page:source()) page:top_frame() end
  end
end)
