-- Newer counters. KEYS: …, sessions of this owner, their counters. ARGV: owner, deadline, then for each: session, counters.
-- Gives the sessions that are not known here: they are asserted anew.

local sessions, known = KEYS[6], KEYS[7]
local wrong = objection(ARGV[1], ARGV[2])
if wrong then return wrong end

local unknown = {}
for at = 3, #ARGV, 2 do
  if redis.call('HEXISTS', sessions, ARGV[at]) == 1 then
    redis.call('HSET', known, ARGV[at], ARGV[at + 1])
  else
    unknown[#unknown + 1] = ARGV[at]
  end
end
keep(sessions, known)
return unknown
