-- The cookies of the page that is open.
local import = ...
local checks = import "checks"
local pages = import "pages"
local values = import "values"
local page = {}

-- Ours and WebDriver's names.
local names = {
  name = "name", value = "value", path = "path", domain = "domain", secure = "secure", http_only = "httpOnly",
  expiry = "expiry", same_site = "sameSite",
}

local function from_wire(cookie)
  local known = {}
  if type(cookie) ~= "table" then return known end
  for ours, theirs in next, names do known[ours] = cookie[theirs] end
  return known
end

-- page:cookies() → a list of { name =, value =, path =, domain =, secure =, http_only =, expiry =, same_site = }
function page:cookies()
  local found, answer = {}, pages.ask(pages.of(self), "cookies", "/cookie")
  if type(answer) ~= "table" then return found end
  for i, cookie in ipairs(answer) do found[i] = from_wire(cookie) end
  return found
end

-- page:cookie(name) → such a table; the error "no such cookie" if there is none
function page:cookie(name)
  name = checks.text(name, "the name of a cookie")
  return from_wire(pages.command(pages.of(self), "cookie", "cookie " .. name, "GET", "/cookie/" .. values.escape(name)))
end

-- page:set_cookie { name =, value =, … }; `expiry`: seconds since 1970
function page:set_cookie(cookie)
  local body = {}
  for name, value in next, checks.options(cookie, names, "set_cookie") do body[names[name]] = value end
  body.name = checks.text(body.name, "the name of a cookie")
  body.value = checks.text(body.value, "the value of a cookie")
  pages.command(pages.of(self), "set_cookie", "set_cookie " .. body.name, "POST", "/cookie", values.encode { cookie = body })
end

function page:delete_cookie(name)
  name = checks.text(name, "the name of a cookie")
  pages.command(pages.of(self), "delete_cookie", "delete_cookie " .. name, "DELETE", "/cookie/" .. values.escape(name))
end

function page:delete_cookies()
  pages.command(pages.of(self), "delete_cookies", "delete_cookies", "DELETE", "/cookie")
end

return { page = page }
