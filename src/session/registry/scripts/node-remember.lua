-- Sessions that this node has buried, for a Redis that has forgotten it. KEYS: reaped. ARGV: for how long they are remembered (in s),
-- sessions.

local time = redis.call('TIME')
for at = 2, #ARGV do redis.call('ZADD', KEYS[1], 'NX', time[1] * 1000, ARGV[at]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
