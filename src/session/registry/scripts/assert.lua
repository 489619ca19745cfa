-- Sessions as their node has them, many at once: new ones, and all of them when Redis may have forgotten. KEYS: …, sessions of this
-- owner, their counters. ARGV: owner, deadline, then for each: session, user, epoch, start, limit, address, row, counters; the last
-- two are empty while it has but claims. Gives those that have to end, of any node: { owner, session, why, … }.

local sessions, known = KEYS[6], KEYS[7]
local me, deadline = ARGV[1], ARGV[2]
local wrong = objection(me, deadline)
if wrong then return wrong end

local losers = {}
local function lose(claim, why)
  losers[#losers + 1] = claim.owner
  losers[#losers + 1] = claim.session
  losers[#losers + 1] = why
  claim.leaving = true
  put(claim)
end

-- The better claim has the address.
local function settle_address(mine)
  if mine.address == '-' then return end
  local rival = rival_for(mine.address, mine.session)
  if rival and is_better(rival, mine) then return lose(mine, 'address') end
  redis.call('HSET', addresses, mine.address, mine.session)
  if rival then lose(rival, 'address') end
end

-- The limit is that of the user's latest claim that has not given way. Who has none is not looked at: a thousand may share a name.
local function settle_user(mine)
  if mine.limit == '-' then return end
  local claims = claims_of_user(mine.user)
  local limit
  for _, claim in ipairs(claims) do
    if not claim.leaving then limit = tonumber(claim.limit) break end
  end
  if not limit then return end
  local kept = 0
  for _, claim in ipairs(claims) do
    if not claim.leaving and kept < limit then kept = kept + 1
    else lose(claim, 'user-limit') end
  end
end

for at = 3, #ARGV, 8 do
  local session, user, epoch, start, limit, address, row, counters = unpack(ARGV, at, at + 7)
  local before = claim_of(session)
  -- A claim on an address may have been granted since these words were written.
  if before and before.user == user and address == '-' then address = before.address end
  if before and (before.user ~= user or before.address ~= address) then release(before) end
  local mine = {
    session = session, owner = me, epoch = math.max(before and before.epoch or 0, tonumber(epoch)), start = tonumber(start),
    limit = limit, address = address, user = user, leaving = before and before.leaving or false,
  }
  put(mine)
  settle_address(mine)
  settle_user(mine)
  redis.call('HSET', sessions, session, row)
  if counters ~= '' then redis.call('HSET', known, session, counters) end
end
keep(sessions, known)
return losers
