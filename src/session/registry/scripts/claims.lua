-- What the scripts of the registry share; it stands before each of them. KEYS: owners, holders, users, addresses, epoch, then the
-- script's own. Layout: keys.ts. A claim whose owner is not among the owners does not count, and is cleared away when it is met.

local owners, holders, users, addresses, last_epoch = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

-- In ms since 1970, by Redis: the nodes' clocks need not agree.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A service whose nodes have all been gone for a week is gone.
local function keep(...)
  for _, key in ipairs({ holders, users, addresses, last_epoch, ... }) do redis.call('EXPIRE', key, 604800) end
end

-- What must not be done: a command that a frozen Redis met after its sender had given it up, one of an owner that does not count.
local function objection(me, deadline)
  if now_ms() > tonumber(deadline) then return redis.error_reply('LATE the command came after its deadline') end
  if not redis.call('ZSCORE', owners, me) then return redis.error_reply('ABSENT this owner does not count') end
end

-- Later claims have higher epochs, also after Redis has lost its keys.
local function next_epoch()
  local epoch = math.max((tonumber(redis.call('GET', last_epoch)) or 0) + 1, now_ms())
  redis.call('SET', last_epoch, string.format('%.0f', epoch))
  return epoch
end

-- limit and address may be '-': none. A claim that is leaving has given way to another, and its session has yet to end.
local function claim_of(session)
  local text = redis.call('HGET', holders, session)
  if not text then return nil end
  local owner, epoch, start, limit, address, user, state = text:match('^(%S+) (%d+) (%d+) (%S+) (%S+) (%S*) (%a+)$')
  return {
    session = session, owner = owner, epoch = tonumber(epoch), start = tonumber(start),
    limit = limit, address = address, user = user, leaving = state == 'leaving',
  }
end

local function put(claim)
  local text = string.format('%s %.0f %.0f %s %s %s %s', claim.owner, claim.epoch, claim.start,
    claim.limit, claim.address, claim.user, claim.leaving and 'leaving' or 'held')
  redis.call('HSET', holders, claim.session, text)
  redis.call('ZADD', users, 0, claim.user .. ' ' .. claim.session)
end

local function free_address(claim)
  if claim.address ~= '-' and redis.call('HGET', addresses, claim.address) == claim.session then
    redis.call('HDEL', addresses, claim.address)
  end
end

local function release(claim)
  free_address(claim)
  redis.call('ZREM', users, claim.user .. ' ' .. claim.session)
  redis.call('HDEL', holders, claim.session)
end

-- The claim of a session, if its owner counts.
local function live_claim(session)
  local claim = claim_of(session)
  if not claim or redis.call('ZSCORE', owners, claim.owner) then return claim end
  release(claim)
end

-- Higher epoch, then earlier start; the name decides between equals, so that all nodes decide alike.
local function is_better(one, other)
  if one.epoch ~= other.epoch then return one.epoch > other.epoch end
  if one.start ~= other.start then return one.start < other.start end
  return one.session < other.session
end

-- All live claims of a user, the best first.
local function claims_of_user(user)
  local claims = {}
  for _, member in ipairs(redis.call('ZRANGEBYLEX', users, '[' .. user .. ' ', '(' .. user .. '!')) do
    local claim = live_claim(member:sub(#user + 2))
    if claim then claims[#claims + 1] = claim else redis.call('ZREM', users, member) end
  end
  table.sort(claims, is_better)
  return claims
end

-- The live claim of another session on an address.
local function rival_for(address, session)
  local holder = redis.call('HGET', addresses, address)
  if holder and holder ~= session then return live_claim(holder) end
end

-- For the reaper: frees all that an owner holds, and gives its sessions: { session, row, counters, … }; no row, if it had but claims.
local function take(sessions, known)
  local taken, counters = {}, {}
  local words = redis.call('HGETALL', known)
  for at = 1, #words, 2 do counters[words[at]] = words[at + 1] end
  words = redis.call('HGETALL', sessions)
  for at = 1, #words, 2 do
    local session = words[at]
    local claim = claim_of(session)
    if claim then release(claim) end
    taken[#taken + 1] = session
    taken[#taken + 1] = words[at + 1]
    taken[#taken + 1] = counters[session] or ''
  end
  redis.call('DEL', sessions, known)
  return taken
end
