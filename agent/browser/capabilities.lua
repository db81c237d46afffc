-- What a new session is asked for: the browser's name and how it starts.
local import, native = ...
local checks = import "checks"
local timeouts = import "timeouts"
local values = import "values"
local capabilities = {}

-- What an agent's own browser may be told by a script that may not use the system: nothing that names a file or a
-- program.
local harmless = checks.set(
  "window-size", "lang", "accept-lang", "force-device-scale-factor", "hide-scrollbars", "mute-audio", "incognito",
  "host-resolver-rules", "proxy-server", "proxy-bypass-list", "user-agent", "ignore-certificate-errors",
  "autoplay-policy", "no-first-run", "no-default-browser-check", "force-color-profile", "force-dark-mode",
  "use-fake-device-for-media-stream", "use-fake-ui-for-media-stream", "blink-settings", "headless", "private",
  "private-window", "width", "height", "disable-features", "enable-features")
local harmless_capabilities = checks.set(
  "acceptInsecureCerts", "pageLoadStrategy", "proxy", "timeouts", "unhandledPromptBehavior",
  "strictFileInteractability", "setWindowRect")

local function check_argument(argument)
  local name, value = argument:match("^%-%-?([%w-]+)(.*)$")
  local is_switch = name and value == "" and (name:match("^disable%-") or name:match("^enable%-"))
  if not is_switch and not harmless[name or ""] then
    checks.fail("open: the agent's own browsers take no argument %s without --allow-system", argument)
  end
end

local function arguments_of(options, is_guarded)
  local list = {}
  for i, argument in ipairs(checks.table(options.args or {}, "args")) do
    list[i] = checks.text(argument, "an argument of the browser")
    if is_guarded then check_argument(list[i]) end
  end
  return list
end

local function append(list, ...)
  for _, item in ipairs { ... } do list[#list + 1] = item end
end

-- Numbers of a load test should be the page's, not those of a browser that saves power or fetches its own updates.
local function chromium(caps, settings)
  local args = {}
  if settings.is_headless then append(args, "--headless=new", "--hide-scrollbars", "--mute-audio") end
  if settings.is_local then
    if native.is_root() then append(args, "--no-sandbox") end
    append(args, "--disable-dev-shm-usage")
  end
  append(args, "--no-first-run", "--no-default-browser-check", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding")
  append(args, table.unpack(settings.args))
  caps.browserName = "chrome"
  caps["goog:chromeOptions"] = { args = values.list(args) }
end

local firefox_preferences = {
  ["app.update.auto"] = false,
  ["app.normandy.enabled"] = false,
  ["browser.safebrowsing.malware.enabled"] = false,
  ["browser.safebrowsing.phishing.enabled"] = false,
  ["browser.search.update"] = false,
  ["browser.shell.checkDefaultBrowser"] = false,
  ["datareporting.healthreport.uploadEnabled"] = false,
  ["datareporting.policy.dataSubmissionEnabled"] = false,
  ["dom.min_background_timeout_value"] = 4,
  ["extensions.update.enabled"] = false,
  ["network.captive-portal-service.enabled"] = false,
  ["network.connectivity-service.enabled"] = false,
  ["privacy.reduceTimerPrecision"] = false,
  ["toolkit.telemetry.enabled"] = false,
}

local function firefox(caps, settings)
  local args = {}
  if settings.is_headless then append(args, "-headless") end
  append(args, table.unpack(settings.args))
  local preferences = {}
  for name, value in pairs(firefox_preferences) do preferences[name] = value end
  caps.browserName = "firefox"
  caps["moz:firefoxOptions"] = { args = values.list(args), prefs = preferences }
end

local function webkit(caps, settings)
  caps.browserName = "MiniBrowser"
  caps["webkitgtk:browserOptions"] = { args = values.list { "--automation", table.unpack(settings.args) } }
end

local makers = { chromium = chromium, firefox = firefox, webkit = webkit }

function capabilities.check_browser(name)
  if not makers[name] then checks.fail("open: there is no browser %s, only chromium, firefox, webkit", tostring(name)) end
  return name
end

-- Lays `more` over `caps`; tables within tables are joined, lists follow each other.
local function merge(caps, more)
  for name, value in pairs(more) do
    local there = caps[name]
    if type(there) == "table" and type(value) == "table" then
      if rawlen(there) > 0 and rawlen(value) > 0 then
        append(there, table.unpack(value))
      else
        merge(there, value)
      end
    else
      caps[name] = value
    end
  end
end

local function check_capabilities(more)
  for name in pairs(more) do
    if not harmless_capabilities[name] then
      checks.fail("open: the agent's own browsers take no capability %s without --allow-system", tostring(name))
    end
  end
end

-- A folder for what the browser keeps, where its driver is ours; geckodriver makes one by itself.
function capabilities.use_profile(caps, folder)
  local options = caps["goog:chromeOptions"]
  if options then append(options.args, "--user-data-dir=" .. folder) end
end

-- `settings`: browser, options (of browser.open), is_local, is_guarded
function capabilities.build(settings)
  local options = settings.options
  local caps = {}
  makers[settings.browser](caps, {
    is_headless = options.headless == nil or options.headless, is_local = settings.is_local,
    args = arguments_of(options, settings.is_guarded),
  })
  if options.mobile then
    if settings.browser ~= "chromium" then checks.fail("open: only chromium has mobile") end
    caps["goog:chromeOptions"].mobileEmulation = type(options.mobile) == "string"
      and { deviceName = options.mobile } or checks.table(options.mobile, "mobile")
  end
  if options.timeouts then caps.timeouts = timeouts.to_body(options.timeouts, "timeouts") end
  local more = checks.table(options.capabilities or {}, "capabilities")
  if settings.is_guarded then check_capabilities(more) end
  merge(caps, more)
  return caps
end

return capabilities
