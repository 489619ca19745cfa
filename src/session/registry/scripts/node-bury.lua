-- The first sessions of a grave are buried: their Stops are in this owner's journal. KEYS: graves, grave, stones. ARGV: owner, grave's
-- number, the first session, how many, how long it is remembered who buried them (in s). Gives { who buries them, how many are left };
-- false, if nothing is known of them any more.

local graves, grave, stones = unpack(KEYS)
local me, number, first, count, remembered_for = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local digger = redis.call('HGET', stones, first) or redis.call('HGET', graves, number)
if digger ~= me then return digger and { digger, 0 } end
-- Asked again because the answer was lost: it is done already.
if redis.call('LINDEX', grave, 0) == first then
  redis.call('LTRIM', grave, 3 * count, -1)
  redis.call('HSET', stones, first, me)
  redis.call('EXPIRE', stones, remembered_for)
end
local left = redis.call('LLEN', grave) / 3
if left == 0 and redis.call('HGET', graves, number) == me then redis.call('HDEL', graves, number) end
return { me, left }
