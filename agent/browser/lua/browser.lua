-- The module that a script requires: tutti.browser.
local import, native = ...
local actions = import "actions"
local capabilities = import "capabilities"
local checks = import "checks"
local drivers = import "drivers"
local errors = import "errors"
local keys = import "keys"
local pages = import "pages"
local session = import "session"
local tutti = import "tutti"
local values = import "values"
local wire = import "wire"
local witness = import "witness"

local browser = { keys = keys, errors = errors.names, chain = actions.chain, list = values.list }

for name, make in next, actions.makers do browser[name] = make end

local START_S = 60
local WAIT_S = 30
-- Less than the others wait for a worker at a barrier or notifier: when its browser hangs, its step alone fails.
local COMMAND_S = 30

local open_names = checks.set("browser", "headless", "args", "remote", "auth", "capabilities", "mobile", "timeouts",
  "start", "wait", "command", "base")

-- The sessions of each worker that are not closed, in the order in which they were opened.
local sessions_of = setmetatable({}, { __mode = "k" })
-- The page that browser.of has opened.
local main_of = setmetatable({}, { __mode = "k" })

local function forget(worker, closed)
  local open = sessions_of[worker]
  for i = #open, 1, -1 do
    if open[i] == closed then table.remove(open, i) end
  end
end

-- Closes the worker's pages, the youngest first; those that are no longer open, or all.
local function close_pages(worker, is_all)
  local open, first = sessions_of[worker] or {}, nil
  for i = #open, 1, -1 do
    if is_all or not pages.is_open(open[i]) then
      local ok, failure = pcall(session.close, open[i])
      if not ok then first = first or failure end
    end
  end
  if first then error(first, 0) end
end

local function is_loopback(url)
  return string.match(url, "^https?://127%.") or string.match(url, "^https?://localhost[:/]")
    or string.match(url, "^https?://%[::1%]")
end

local function remote_address(options)
  local address = wire.address(checks.text(options.remote, "remote"))
  if not address then checks.fail("open: remote is http://HOST:PORT of a WebDriver, not %s", options.remote) end
  if options.auth then
    checks.table(options.auth, "auth")
    address.user = checks.text(rawget(options.auth, 1), "auth[1]")
    address.password = checks.text(rawget(options.auth, 2), "auth[2]")
  end
  return address
end

-- A session at the WebDriver that `remote` names: how it is run there is not our concern.
local function open_remote(name, options, settings)
  local address = remote_address(options)
  settings.is_guarded = false
  settings.capabilities = capabilities.build {
    browser = name, options = options, is_local = is_loopback(address.url), is_guarded = false,
  }
  local opened, failure = session.new(address, settings)
  if not opened then errors.raise(failure) end
  return opened
end

-- The last output of the driver says more than its answer.
local function explain(failure, driver)
  local tail = driver:tail()
  failure.details = tail ~= "" and (failure.details or "") .. "\n" .. tail or failure.details
end

-- A driver of the agent, one per browser.
local function open_own(name, options, settings)
  settings.is_guarded = not native.is_system_allowed()
  settings.capabilities = capabilities.build {
    browser = name, options = options, is_local = true, is_guarded = settings.is_guarded,
  }
  local driver = drivers.start { browser = name, timeout = settings.start_s }
  capabilities.use_profile(settings.capabilities, driver:profile())
  settings.driver = driver
  local ok, opened, failure = pcall(session.new, { url = driver:url() }, settings)
  driver:settle()
  if ok and opened then return opened end
  if ok then explain(failure, driver) end
  driver:stop()
  if not ok then error(opened, 0) end
  return errors.raise(failure)
end

-- The browser of a worker, if its script names none: the seats of a room take those of the campaign in turn.
local function browser_for(worker)
  local list = drivers.browsers
  local place = worker.room.size > 1 and worker.seat or worker.id
  return list[place % #list + 1]
end

local function base_of(options)
  if options.base == nil then return tutti.target end
  return options.base and string.gsub(checks.text(options.base, "base"), "/+$", "") or nil
end

-- browser.open { browser =, headless =, args =, remote =, auth =, capabilities =, mobile =, timeouts =, start =,
-- wait =, command =, base = } → a page
local function open(options)
  options = checks.options(options, open_names, "open")
  local worker = native.worker()
  local name = capabilities.check_browser(options.browser or browser_for(worker))
  local settings = {
    browser = name, start_s = checks.seconds(options.start or START_S, "start"),
    wait_s = checks.seconds(options.wait or WAIT_S, "wait"),
    command_s = checks.seconds(options.command or COMMAND_S, "command"), base = base_of(options),
    tags = drivers.browsers[2] and { browser = name } or nil, on_close = function(closed) forget(worker, closed) end,
  }
  sessions_of[worker] = sessions_of[worker] or {}
  close_pages(worker, false)
  native.at_end(function() close_pages(worker, true) end)
  native.on_failure(function() witness.look(sessions_of[worker]) end)
  local opened = (options.remote and open_remote or open_own)(name, options, settings)
  table.insert(sessions_of[worker], opened)
  return session.page_of(opened)
end

browser.open = open

-- browser.of(worker, options): the worker's page; opened at the first call, and again when its browser has gone.
function browser.of(worker, options)
  local own = native.worker()
  if not rawequal(worker, own) then checks.fail("browser.of takes the worker whose turn it is") end
  local page = main_of[own]
  if page and pages.is_open(pages.of(page)) then return page end
  main_of[own] = nil
  page = open(options)
  main_of[own] = page
  return page
end

return browser
