---@meta tutti.json

---@class tutti.json
---@field null lightuserdata
---@field empty_array lightuserdata
---@field array_mt table
local json = {}

---@param value any
---@return string
function json.encode(value) end

---@param text string
---@return any
function json.decode(text) end

---Marks a table as a list.
---@generic T: table
---@param list? T
---@return T
function json.array(list) end

return json
