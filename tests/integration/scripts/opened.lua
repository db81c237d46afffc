-- For an agent whose sandbox is down: what its walls alone refuse. The target is a folder of somebody else, after "file://".
local tutti = require "tutti"
local foreign = tutti.target and tutti.target:gsub("^file://", "") or ""
local tried = 0

local function refused(what, value, why)
  if value then error(what .. " succeeded", 0) end
  tried = tried + 1
  print(what, why)
end

local function writes(path)
  for _, mode in ipairs { "w", "a", "r+", "w+" } do
    refused(mode .. " " .. path, io.open(path, mode))
  end
end

tutti.scenario("attacks", function()
  for _, path in ipairs { "/etc/passwd", "/etc/shadow", "/root/.bashrc", "/proc/1/environ", "/proc/1/mem", "/proc/kcore", "/",
    foreign .. "/secret", foreign .. "/../", "/proc/self/root" .. foreign .. "/secret", "/proc/self/cwd/tutti" } do
    refused("read " .. path, io.open(path))
  end
  for _, path in ipairs { foreign .. "/secret", foreign .. "/new", "/tmp/tutti-escaped", "/etc/hosts", "/etc/cron.d/tutti-escaped",
    "/proc/self/mem", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/dev/shm/tutti-escaped", "/usr/bin/env" } do
    writes(path)
  end
  refused("popen", pcall(function() return assert(io.popen("id > " .. foreign .. "/out")):close() end))
  refused("execute", os.execute("id > " .. foreign .. "/out"))
  refused("tmpfile", io.tmpfile())
  refused("tmpname", pcall(os.tmpname))
  refused("remove", os.remove(foreign .. "/secret"))
  refused("rename", os.rename(foreign .. "/secret", foreign .. "/stolen"))
  refused("remove a folder", os.remove(foreign))
  refused("load", package.loadlib(foreign .. "/secret", "*"))
  if tried < 50 then error("only " .. tried .. " attacks", 0) end
end)
