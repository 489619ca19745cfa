-- What Redis has of this owner. KEYS: …, sessions of this owner. ARGV: owner. Gives { now, sessions, those of them that are leaving }.

if not redis.call('ZSCORE', owners, ARGV[1]) then return redis.error_reply('ABSENT this owner does not count') end

local held, leaving = redis.call('HKEYS', KEYS[6]), {}
for first = 1, #held, 1000 do
  local claims = redis.call('HMGET', holders, unpack(held, first, math.min(first + 999, #held)))
  for at, claim in ipairs(claims) do
    if claim and claim:sub(-8) == ' leaving' then leaving[#leaving + 1] = held[first + at - 1] end
  end
end
return { now_ms(), held, leaving }
