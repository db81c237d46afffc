---@meta tutti.url

---@class tutti.url.Parts
---@field scheme? string
---@field user? string
---@field password? string
---@field host? string
---@field port? integer
---@field path? string
---@field query? string|table
---@field fragment? string

---@class tutti.url
local url = {}

---@param text string
---@return tutti.url.Parts
function url.parse(text) end

---@param parts tutti.url.Parts
---@return string
function url.build(parts) end

---@param text string
---@return string
function url.encode(text) end

---@param text string
---@return string
function url.decode(text) end

---@param pairs table
---@return string
---@overload fun(text: string): table<string, string|string[]>
function url.query(pairs) end

---@param base string
---@param reference string
---@return string
function url.join(base, reference) end

return url
