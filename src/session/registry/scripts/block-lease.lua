-- Asks for addresses of a pool, in whole blocks that nobody has. What has been given up by its owner, expired and rested, is nobody's as
-- soon as there is nothing else. A pool of which somebody needs addresses badly is his alone.
--
-- ARGV: pool, addresses wanted, 1 if they are needed badly, bits of the largest block, how long an expired block rests, how long others are
-- asked to give, how many blocks to look at; then first, last, first, last, … of the pool, in the order in which to look. Gives what
-- is left of the time in which nothing is granted, the epoch, and the blocks.

local pool, needed, badly, bits_max = ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1', tonumber(ARGV[7])
local rest_ms, want_ms, looks = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local together = 100

local settling_ms = settling()
if settling_ms > 0 then return { settling_ms, '0', {} } end
local others = tonumber(redis.call('ZSCORE', wanted, pool) or '0')
if others > now and not badly then return { 0, '0', {} } end

local epoch = next_epoch()
local granted = {}

-- The largest blocks that fit between `at` and `last`, from below.
local function fill(at, last)
  while at <= last and needed > 0 do
    local bits = bits_max
    while at % 2 ^ bits ~= 0 or at + 2 ^ bits - 1 > last do bits = bits - 1 end
    local block = block_at(at, bits)
    put(block, epoch)
    granted[#granted + 1] = block
    needed = needed - 2 ^ bits
    at = at + 2 ^ bits
    looks = looks - 1
    if looks <= 0 then return end
  end
end

local function search(first, last)
  local at = first
  local before = reaching(first)
  if before then at = first_of(before) + size_of(before) end
  while at <= last and needed > 0 and looks > 0 do
    local taken = beginning(at, last, together)
    for _, block in ipairs(taken) do
      local begins = first_of(block)
      fill(at, begins - 1)
      if needed <= 0 or looks <= 0 then return end
      at = begins + size_of(block)
      looks = looks - 1
    end
    if #taken < together then return fill(at, last) end
  end
end

-- What of a block is the pool's is nobody's from now on.
local function reclaim(block)
  local first, last = first_of(block), first_of(block) + size_of(block) - 1
  for range = 11, #ARGV, 2 do
    local from, to = math.max(first, tonumber(ARGV[range])), math.min(last, tonumber(ARGV[range + 1]))
    if from <= to then
      drop(block)
      search(from, to)
    end
  end
end

for range = 11, #ARGV, 2 do search(tonumber(ARGV[range]), tonumber(ARGV[range + 1])) end
if needed > 0 and looks > 0 then
  -- The longest expired first: the longer ago it is, the surer is their owner dead.
  for _, block in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', whole(now - rest_ms))) do
    if needed <= 0 or looks <= 0 then break end
    reclaim(block)
  end
end
if needed <= 0 then
  if badly then redis.call('ZREM', wanted, pool) end
elseif badly then
  redis.call('ZADD', wanted, whole(now + want_ms), pool)
end
return { 0, whole(epoch), granted }
