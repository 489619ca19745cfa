-- Gives up an owner that is dead, once: who is first has it. Stands behind claims.lua. KEYS: owners, holders, users, addresses, epoch,
-- beats, graves, reaped, quarantine, sessions of the dead, their counters. ARGV: owner, deadline, the dead, when a node is dead (in ms
-- without a beat), how long its addresses are kept from others (in ms), for how long reaped sessions are remembered (in s), how the
-- keys of graves begin. Gives the number of the grave and how many are in it; false, if another was faster or it lives.

local beats, graves, reaped, quarantine, sessions, known = unpack(KEYS, 6, 11)
local me, deadline, dead, dead_after, quarantine_for, remembered_for, grave = unpack(ARGV)
local wrong = objection(me, deadline)
if wrong then return wrong end

local now = now_ms()
local last = redis.call('ZSCORE', owners, dead)
if not last or now - tonumber(last) < tonumber(dead_after) then return false end
redis.call('ZREM', owners, dead)
redis.call('HDEL', beats, dead)

-- The dead node may be alive, and cut off from here only. The user it serves may have the address elsewhere at once.
local addresses_free_at = string.format('%.0f', now + tonumber(quarantine_for))
local resting = redis.call('HGETALL', quarantine)
for word = 1, #resting, 2 do
  if tonumber(resting[word + 1]:match('^%d+')) <= now then redis.call('HDEL', quarantine, resting[word]) end
end
for _, session in ipairs(redis.call('HKEYS', sessions)) do
  local claim = claim_of(session)
  if claim and claim.address ~= '-' then
    redis.call('HSET', quarantine, claim.address, addresses_free_at .. ' ' .. claim.user)
  end
end

-- Generations are times, and a grave is older than the next.
local number = string.format('%.0f', next_epoch())
local taken = take(sessions, known)
local laid = 0
for word = 1, #taken, 3 do
  if taken[word + 1] ~= '' then
    redis.call('RPUSH', grave .. number, taken[word], taken[word + 1], taken[word + 2])
    redis.call('ZADD', reaped, now, taken[word])
    laid = laid + 1
  end
end
if laid > 0 then
  redis.call('HSET', graves, number, me)
  redis.call('EXPIRE', grave .. number, remembered_for)
end
redis.call('ZREMRANGEBYSCORE', reaped, '-inf', now - remembered_for * 1000)
for _, key in ipairs({ reaped, quarantine }) do redis.call('EXPIRE', key, remembered_for) end
return { number, laid }
