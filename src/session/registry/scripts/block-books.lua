-- Stands before each of the block scripts: the books, and the rules that keep them whole. No two blocks in them overlap.
--
-- KEYS: owners (hash: block -> 'OWNER EPOCH'), expiry (sorted set: block -> until when, in ms), places (sorted set: block -> its first
-- address), counts (hash: OWNER -> blocks), marker (hash: run, since, epoch), wanted (sorted set: pool -> until when others are asked to
-- give). ARGV: OWNER, how long a lease lasts, how long nothing is granted after a loss of data; what follows is each script's own.
-- Times are this server's, in ms.

local owners, expiry, places, counts, marker, wanted = unpack(KEYS)
local me, lease_ms, settle_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number) return string.format('%.0f', number) end

local function size_of(block) return 2 ^ (32 - tonumber(string.match(block, '/(%d+)$'))) end

local function first_of(block)
  local a, b, c, d = string.match(block, '^(%d+)%.(%d+)%.(%d+)%.(%d+)/')
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function block_at(first, bits)
  local octets = {}
  for place = 3, 0, -1 do octets[#octets + 1] = whole(math.floor(first / 256 ^ place) % 256) end
  return table.concat(octets, '.') .. '/' .. (32 - bits)
end

local function holding_of(block)
  local owner, epoch = string.match(redis.call('HGET', owners, block) or '', '^(%S+) (%d+)$')
  return owner, tonumber(epoch)
end

local function drop(block)
  local owner = holding_of(block)
  if not owner then return end
  redis.call('HDEL', owners, block)
  redis.call('ZREM', expiry, block)
  redis.call('ZREM', places, block)
  if redis.call('HINCRBY', counts, owner, -1) <= 0 then redis.call('HDEL', counts, owner) end
end

local function put(block, epoch)
  drop(block)
  redis.call('HSET', owners, block, me .. ' ' .. whole(epoch))
  redis.call('ZADD', expiry, whole(now + lease_ms), block)
  redis.call('ZADD', places, whole(first_of(block)), block)
  redis.call('HINCRBY', counts, me, 1)
end

-- The block that reaches over `first` from below, and those that begin at or after it, up to `last`; `limit` of these at most.
local function reaching(first)
  local below = redis.call('ZREVRANGEBYSCORE', places, whole(first - 1), '-inf', 'LIMIT', 0, 1)[1]
  return below and first_of(below) + size_of(below) > first and below or nil
end
local function beginning(first, last, limit)
  return redis.call('ZRANGEBYSCORE', places, whole(first), whole(last), 'LIMIT', 0, limit)
end

-- This server may have lost what it knew: it is another process than before, or its keys are gone. For a while then nothing is granted,
-- so that all can say what they hold. Gives what is left of that while.
local function settling()
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  local known, since = unpack(redis.call('HMGET', marker, 'run', 'since'))
  if known ~= run then
    since = whole(now)
    redis.call('HSET', marker, 'run', run, 'since', since)
  end
  return math.max(0, since + settle_ms - now), run .. ' ' .. since
end

-- Greater than any that was ever given, also by a server that has forgotten them, or whose clock was ahead.
local function next_epoch()
  local epoch = math.max(now, tonumber(redis.call('HGET', marker, 'epoch') or '0') + 1)
  redis.call('HSET', marker, 'epoch', whole(epoch))
  return epoch
end
