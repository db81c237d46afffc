---@meta tutti.crypto

---@alias tutti.crypto.Coding "hex"|"base64"|"base64url"|"raw"

---@class tutti.crypto
local crypto = {}

---@param data string
---@return string
function crypto.base64_encode(data) end

---@param data string
---@return string
function crypto.base64_decode(data) end

---@param data string
---@return string
function crypto.base64url_encode(data) end

---@param data string
---@return string
function crypto.base64url_decode(data) end

---@param data string
---@return string
function crypto.hex_encode(data) end

---@param data string
---@return string
function crypto.hex_decode(data) end

---@param data string
---@param coding? tutti.crypto.Coding
---@return string
function crypto.md5(data, coding) end

---@param data string
---@param coding? tutti.crypto.Coding
---@return string
function crypto.sha1(data, coding) end

---@param data string
---@param coding? tutti.crypto.Coding
---@return string
function crypto.sha256(data, coding) end

---@param data string
---@param coding? tutti.crypto.Coding
---@return string
function crypto.sha512(data, coding) end

---@param algorithm "md5"|"sha1"|"sha256"|"sha512"
---@param key string
---@param data string
---@param coding? tutti.crypto.Coding
---@return string
function crypto.hmac(algorithm, key, data, coding) end

---@return string
function crypto.uuid() end

---@param count integer
---@return string
function crypto.random_bytes(count) end

return crypto
