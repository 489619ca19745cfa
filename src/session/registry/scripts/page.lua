-- Some of an owner's sessions. KEYS: …, sessions of that owner, their counters. ARGV: cursor, how many about.
-- Gives { next cursor, { session, row, counters, … } }; the cursor is '0' before the first and after the last.

local sessions, known = KEYS[6], KEYS[7]
local cursor, words = unpack(redis.call('HSCAN', sessions, ARGV[1], 'COUNT', ARGV[2]))
local found = {}
for at = 1, #words, 2 do
  if words[at + 1] ~= '' then
    found[#found + 1] = words[at]
    found[#found + 1] = words[at + 1]
    found[#found + 1] = redis.call('HGET', known, words[at]) or ''
  end
end
return { cursor, found }
