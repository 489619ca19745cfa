-- A sign of life. Stands behind claims.lua. KEYS: owners, holders, users, addresses, epoch, beats, boots, marker, graves. ARGV: owner,
-- node, its generation or '0' before the first beat, status, a fresh id for the marker, when a node is suspect and when it is dead
-- (both in ms without a beat), since when this owner has watched, how the keys of sessions and counters begin.
-- Gives { 'fenced' }, or { 'counts', generation, marker, age of the marker, 1 if it counted before, 1 if it was not suspect, now,
-- { dead owner, … }, { grave, who buries, 1 if that one counts, … } }.

local beats, boots, marker, graves = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local me, node, generation, status, fresh = unpack(ARGV, 1, 5)
local suspect_after, dead_after, watching_since = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local sessions, known = ARGV[9], ARGV[10]
local now = now_ms()

-- A Redis that was restarted, or a replica that became master, has another replication id; either may have lost the last writes.
-- Those who may not ask for it notice an empty one only.
local info = redis.pcall('INFO', 'replication')
local replication = type(info) == 'string' and info:match('master_replid:(%x+)') or ''
local id, before, at = unpack(redis.call('HMGET', marker, 'id', 'replication', 'at'))
if not id or before ~= replication then
  id, at = fresh, now
  redis.call('HSET', marker, 'id', id, 'replication', replication, 'at', string.format('%.0f', at))
end
at = tonumber(at)

-- The higher generation is the later boot. One that has none yet is the latest of all.
generation = tonumber(generation)
local other_generation, other = (redis.call('HGET', boots, node) or ''):match('^(%d+) (%S+)$')
other_generation = tonumber(other_generation) or 0
if other and other ~= me then
  if generation > 0 and other_generation >= generation then return { 'fenced' } end
  redis.call('ZREM', owners, other)
  redis.call('HDEL', beats, other)
  take(sessions .. other, known .. other)
end
if generation == 0 then generation = math.max(now, other_generation + 1) end
generation = string.format('%.0f', generation)
redis.call('HSET', boots, node, generation .. ' ' .. me)

local last = redis.call('ZSCORE', owners, me)
local on_time = last and now - tonumber(last) <= suspect_after
redis.call('ZADD', owners, now, me)
redis.call('HSET', beats, me, status)
for _, key in ipairs({ owners, beats, boots, marker, graves }) do redis.call('EXPIRE', key, 2592000) end
keep()

local dead = {}
if on_time and now - math.max(watching_since, at) >= dead_after then
  dead = redis.call('ZRANGEBYSCORE', owners, '-inf', now - dead_after)
end
local open = {}
local words = redis.call('HGETALL', graves)
for word = 1, #words, 2 do
  open[#open + 1] = words[word]
  open[#open + 1] = words[word + 1]
  open[#open + 1] = redis.call('ZSCORE', owners, words[word + 1]) and 1 or 0
end
return { 'counts', generation, id, now - at, last and 1 or 0, on_time and 1 or 0, now, dead, open }
