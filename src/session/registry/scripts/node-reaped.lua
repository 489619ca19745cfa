-- Which of these sessions were given up with their node. KEYS: reaped. ARGV: sessions.

local found = {}
for _, session in ipairs(ARGV) do
  if redis.call('ZSCORE', KEYS[1], session) then found[#found + 1] = session end
end
return found
