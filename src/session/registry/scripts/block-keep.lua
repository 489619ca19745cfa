-- The owner says which blocks it holds, by which epochs: they are leased to it from now on. Where the books name another for any of a
-- block's addresses, the higher epoch has it, and the books if both are equal.
--
-- ARGV: how many blocks the owner has in all; then block, epoch, block, epoch, … Gives what is left of the time in which nothing is granted,
-- a marker that is another when data was lost, 1 if the books have other blocks of this owner than it knows, the pools that are wanted,
-- and of the blocks whose epoch is another than was said: block, epoch, …; an epoch of 0 is a block lost.

local settling_ms, mark = settling()

local function beats(epoch, block, rival)
  local owner, its = holding_of(rival)
  return epoch > its or (owner == me and rival == block)
end

local function keep(block, epoch)
  local first = first_of(block)
  local rivals = beginning(first, first + size_of(block) - 1, size_of(block))
  rivals[#rivals + 1] = reaching(first)
  for _, rival in ipairs(rivals) do
    if not beats(epoch, block, rival) then return 0 end
  end
  local owner, booked = holding_of(block)
  if owner == me then epoch = math.max(epoch, booked) end
  for _, rival in ipairs(rivals) do drop(rival) end
  put(block, epoch)
  local highest = tonumber(redis.call('HGET', marker, 'epoch') or '0')
  if epoch > highest then redis.call('HSET', marker, 'epoch', whole(epoch)) end
  return epoch
end

local changed = {}
for at = 5, #ARGV, 2 do
  local block, said = ARGV[at], ARGV[at + 1]
  if redis.call('HGET', owners, block) == me .. ' ' .. said then
    redis.call('ZADD', expiry, whole(now + lease_ms), block)
  else
    local epoch = whole(keep(block, tonumber(said)))
    if epoch ~= said then
      changed[#changed + 1] = block
      changed[#changed + 1] = epoch
    end
  end
end
local count = tonumber(redis.call('HGET', counts, me) or '0')
local strays = count > tonumber(ARGV[4]) and 1 or 0
return { settling_ms, mark, strays, redis.call('ZRANGEBYSCORE', wanted, '(' .. whole(now), '+inf'), changed }
