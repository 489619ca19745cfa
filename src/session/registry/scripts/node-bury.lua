-- The first sessions of a grave are buried: their Stops are in this owner's journal. KEYS: graves, grave. ARGV: owner, grave's number,
-- the first session, how many. Gives how many are left; false, if another goes on with the grave.

local graves, grave = unpack(KEYS)
local me, number, first, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('HGET', graves, number) ~= me then return false end
-- Asked again because the answer was lost: it is done already.
if redis.call('LINDEX', grave, 0) == first then redis.call('LTRIM', grave, 3 * count, -1) end
local left = redis.call('LLEN', grave) / 3
if left == 0 then redis.call('HDEL', graves, number) end
return left
