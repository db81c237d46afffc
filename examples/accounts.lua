-- Ten workers on two agents log in, each with its own account: each row of accounts.csv goes to exactly one worker
-- of the whole campaign.
--
--   tutti run examples/accounts.lua
local tutti = require "tutti"

tutti.options { workers = 10, runs = 3, agents = 2 }

local accounts = tutti.data("accounts.csv")
local searches = tutti.data({ { word = "lamp" }, { word = "chair" }, { word = "table" } }, { mode = "random" })

-- Runs once for each worker, before its first step: the worker keeps this account.
tutti.setup(function(worker)
  worker.account = accounts:next(worker)
  local before = tutti.incr("taken:" .. worker.account.user)
  assert(before == 1, worker.account.user .. " was given to two workers")
end)

tutti.scenario("search", function(worker)
  local search = searches:next(worker)
  assert(#worker.account.password > 0 and #search.word > 0)
  tutti.incr("searches")
end)

tutti.global_teardown(function()
  for i = 1, #accounts do
    assert(tutti.get_var("taken:" .. accounts[i].user) == 1, accounts[i].user .. " was left over")
  end
  tutti.print(#accounts .. " accounts, " .. tutti.get_var("searches") .. " searches")
end)
