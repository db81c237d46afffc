-- Twenty bidders, one lot, on many machines: a variable of the campaign with compare-and-set, so that no bid is lost
-- when two arrive at once.
--
--   tutti run examples/auction.lua
local tutti = require "tutti"

tutti.options { workers = 20, runs = 10 }

tutti.scenario("bid", function(worker)
  -- The first worker that asks creates the lot; the others wait for it and get the same one.
  local lot = tutti.get_var("lot", function()
    return { price = 100, bidder = -1 }
  end)
  local won
  repeat
    local offer = { price = lot.price + 1, bidder = worker.id }
    won, lot = tutti.cas("lot", lot, offer) -- false and the current value, if another worker was faster
  until won
  tutti.incr("bids", 1)
end)

-- Runs once, after all workers have ended: each bid has raised the price by one.
tutti.global_teardown(function()
  local lot, bids = tutti.get_var("lot"), tutti.get_var("bids")
  assert(lot.price == 100 + bids, "a bid was lost: " .. lot.price .. " after " .. bids .. " bids")
  tutti.print("sold to worker " .. lot.bidder .. " for " .. lot.price)
end)
