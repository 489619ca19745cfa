-- Sessions that are over: all that they held is free. KEYS: …, sessions of this owner, their counters. ARGV: owner, sessions. Neither
-- a late command nor an owner that no longer counts does harm: a session never comes back.

local sessions, known = KEYS[6], KEYS[7]
for at = 2, #ARGV do
  local claim = claim_of(ARGV[at])
  if claim and claim.owner == ARGV[1] then release(claim) end
  redis.call('HDEL', sessions, ARGV[at])
  redis.call('HDEL', known, ARGV[at])
end
