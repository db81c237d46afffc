-- Files of a script's bundle for a file input: the browser reads them from its own disk.
local import, native = ...
local checks = import "checks"
local errors = import "errors"
local pages = import "pages"
local values = import "values"
local uploads = {}

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then checks.fail("send_file: %s", tostring(why)) end
  local content = file:read("a")
  file:close()
  return content
end

local crc_table = {}
for i = 0, 255 do
  local sum = i
  for _ = 1, 8 do sum = sum & 1 == 1 and (sum >> 1) ~ 0xEDB88320 or sum >> 1 end
  crc_table[i] = sum
end

local function crc32(content)
  local sum = 0xFFFFFFFF
  for at = 1, #content, 4096 do
    for _, byte in ipairs { string.byte(content, at, at + 4095) } do
      sum = crc_table[(sum ~ byte) & 0xFF] ~ (sum >> 8)
    end
  end
  return sum ~ 0xFFFFFFFF
end

-- A ZIP archive of one uncompressed file, as a remote WebDriver requires.
function uploads.zip(name, content)
  local pack = string.pack
  local common = pack("<I2I2I2I2I2I4I4I4I2I2", 20, 0x800, 0, 0, 0x21, crc32(content), #content, #content, #name, 0)
  local entry = "PK\3\4" .. common .. name .. content
  local directory = "PK\1\2" .. pack("<I2", 20) .. common .. pack("<I2I2I2I4I4", 0, 0, 0, 0, 0) .. name
  return entry .. directory .. "PK\5\6" .. pack("<I2I2I2I2I4I4I2", 0, 0, 1, 1, #directory, #entry, 0)
end

-- The command is not in the standard: Selenium's server and chromedriver know it by one of these names.
local function send(session, name, content)
  local body = values.encode { file = native.encode_base64(uploads.zip(name, content)) }
  local doing, failure, path = "send_file " .. name, nil, nil
  for _, command in ipairs { "/se/file", "/file" } do
    failure, path = pages.attempt(session, doing, "POST", command, body)
    if not failure then return path end
    if failure.error ~= "unknown command" and failure.error ~= "unknown method" then errors.raise(failure) end
  end
  failure.message = doing .. ": this remote WebDriver does not accept files"
  return errors.raise(failure)
end

-- Where the browser finds the file: in the folder of our own driver, or where a remote one has put it.
function uploads.place(session, path)
  local content = read(path)
  local name = string.match(path, "[^/]+$") or path
  if session.driver then return session.driver:place_file(name, content) end
  return send(session, name, content)
end

return uploads
