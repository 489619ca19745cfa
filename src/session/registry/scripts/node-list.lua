-- All nodes. KEYS: owners, beats. Gives { now, { owner, time of its last beat, … }, { owner, status, … } }.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return { now, redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), redis.call('HGETALL', KEYS[2]) }
