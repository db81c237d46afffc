-- The capabilities requested for a new session: the browser's name and how it starts.
local import, native = ...
local checks = import "checks"
local timeouts = import "timeouts"
local values = import "values"
local capabilities = {}

-- The arguments that a script without --allow-system may pass to an agent's own browser: none that names a file or a
-- program, opens a way into the browser, or disables its sandbox. Some of them have a value.
local valued = checks.set(
  "window-size", "lang", "accept-lang", "force-device-scale-factor", "host-resolver-rules", "proxy-server",
  "proxy-bypass-list", "user-agent", "autoplay-policy", "force-color-profile", "headless", "width", "height",
  "disable-features", "enable-features")
local plain = checks.set(
  "headless", "hide-scrollbars", "mute-audio", "incognito", "private", "private-window", "ignore-certificate-errors",
  "no-first-run", "no-default-browser-check", "force-dark-mode", "use-fake-device-for-media-stream",
  "use-fake-ui-for-media-stream",
  "disable-gpu", "disable-gpu-compositing", "disable-software-rasterizer", "disable-quic", "disable-http2",
  "disable-extensions", "disable-default-apps", "disable-popup-blocking", "disable-notifications", "disable-infobars",
  "disable-translate", "disable-sync", "disable-background-networking", "disable-component-update",
  "disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
  "disable-client-side-phishing-detection", "disable-hang-monitor", "disable-prompt-on-repost",
  "disable-ipc-flooding-protection", "disable-domain-reliability", "disable-breakpad", "disable-crash-reporter",
  "disable-field-trial-config", "disable-search-engine-choice-screen", "disable-smooth-scrolling", "disable-webgl",
  "disable-3d-apis", "disable-audio-output", "disable-dev-shm-usage", "disable-back-forward-cache", "disable-logging",
  "disable-application-cache", "disable-plugins", "disable-remote-fonts", "disable-speech-api", "disable-databases",
  "enable-automation", "enable-quic", "enable-webgl", "enable-gpu", "enable-smooth-scrolling",
  "enable-unsafe-swiftshader", "enable-precise-memory-info", "enable-benchmarking", "enable-unsafe-webgpu")
local harmless_capabilities = checks.set(
  "acceptInsecureCerts", "pageLoadStrategy", "proxy", "timeouts", "unhandledPromptBehavior",
  "strictFileInteractability", "setWindowRect")

local function is_harmless(argument)
  local name, value = string.match(argument, "^%-%-?([%w-]+)(.*)$")
  if not name or string.find(argument, "%c") then return false end
  if value == "" then return plain[name] or valued[name] or false end
  if name == "blink-settings" then return string.find(value, "^=imagesEnabled=%a+$") ~= nil end
  return string.sub(value, 1, 1) == "=" and valued[name] or false
end

local function arguments_of(options, is_guarded)
  local list = checks.texts(options.args or {}, "args", "an argument of the browser")
  for _, argument in ipairs(list) do
    if is_guarded and not is_harmless(argument) then
      checks.fail("open: the agent's own browsers take no argument %s without --allow-system", argument)
    end
  end
  return list
end

local function append(list, ...)
  for _, item in ipairs { ... } do list[#list + 1] = item end
end

-- A load test should measure the page, not a browser that saves power or fetches its own updates.
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
  for name, value in next, firefox_preferences do preferences[name] = value end
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

-- Merges `more` into `caps`; nested tables are merged, lists are concatenated. Both are our own copies.
local function merge(caps, more)
  for name, value in next, more do
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
  for name in next, more do
    if not harmless_capabilities[name] then
      checks.fail("open: the agent's own browsers take no capability %s without --allow-system", tostring(name))
    end
  end
end

-- A folder for the browser's profile, if its driver is ours; geckodriver creates one by itself. The driver talks to its
-- browser through a pipe: a debugger port would give access to anyone who finds it.
function capabilities.use_profile(caps, folder)
  local options = caps["goog:chromeOptions"]
  if options then append(options.args, "--user-data-dir=" .. folder, "--remote-debugging-pipe") end
end

-- `settings`: browser, options (of browser.open, copied), is_local, is_guarded. What is checked is a deep copy:
-- the driver gets what was found harmless, even if the script changes its tables meanwhile.
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
      and { deviceName = options.mobile } or checks.copy(options.mobile, "mobile")
  end
  if options.timeouts then caps.timeouts = timeouts.to_body(options.timeouts, "timeouts") end
  local more = checks.copy(options.capabilities or {}, "capabilities")
  if settings.is_guarded then check_capabilities(more) end
  merge(caps, more)
  return caps
end

return capabilities
