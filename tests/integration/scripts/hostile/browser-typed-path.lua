-- browser: chromium firefox
-- A path that is typed into a file input chooses the file: the page could read it.
local tutti = require "tutti"
local browser = require "tutti.browser"
local lib = require "lib"

local read = [[
  const done = arguments[arguments.length - 1], files = [...document.querySelector("input").files];
  Promise.all(files.map(f => f.text().catch(String))).then(texts => done(files.map(f => f.webkitRelativePath + f.name).concat(texts).join("\n")))]]

tutti.options { files = { "prey.txt" } }

tutti.scenario("x", function(worker)
  local page = browser.of(worker)
  local secret = lib.prey .. "/secret"
  for _, more in ipairs { "", "multiple", "webkitdirectory" } do
    page:open("data:text/html,<input type=file " .. more .. ">")
    local input = page:find("input")
    for _, typed in ipairs { { secret }, { "/", secret:sub(2) }, { " " .. secret }, { "\n" .. secret }, { "x\n" .. secret }, { "\u{A0}" .. secret },
      { "~/" }, { "~" }, { "/" }, { lib.prey }, { lib.prey .. "/" }, { "file://" .. secret }, { "." .. ("/.."):rep(20) .. secret },
      { browser.keys.NULL .. secret }, { browser.keys.DIVIDE .. secret:sub(2) }, { "\u{2044}" .. secret:sub(2) }, { "\u{FEFF}" .. secret } } do
      pcall(input.send_keys, input, table.unpack(typed))
      local text = page:execute_async(read)
      lib.look_at(text)
      if text ~= "" then lib.escaped(text) end
    end
  end
  -- Of any other input a slash is as good as before.
  page:open("data:text/html,<input>")
  page:find("input"):send_keys("/a/b", "/")
  assert(page:find("input"):property("value") == "/a/b/", page:find("input"):property("value"))
  page:open("data:text/html,<input type=file>")
  page:find("input"):send_file("prey.txt")
  assert(page:execute_async(read):find("what a script uploads"))
end)
