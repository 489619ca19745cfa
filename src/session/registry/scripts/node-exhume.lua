-- What is left to bury in a grave. Who asks goes on with it, unless another does who counts. KEYS: owners, graves, grave.
-- ARGV: owner, grave's number, how many sessions at most. Gives { session, row, counters, … }, or false.

local owners, graves, grave = unpack(KEYS)
local me, number, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local digger = redis.call('HGET', graves, number)
if not digger or not redis.call('ZSCORE', owners, me) then return false end
if digger ~= me and redis.call('ZSCORE', owners, digger) then return false end
redis.call('HSET', graves, number, me)
return redis.call('LRANGE', grave, 0, 3 * most - 1)
