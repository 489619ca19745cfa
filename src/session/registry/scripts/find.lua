-- Sessions by name, or else by address, or else by user. KEYS: …. ARGV: session, address, user, each empty if it is not looked for; how
-- the keys of sessions and counters begin. Gives { session, row, counters, … }; what has but claims is left out.

local session, address, user, sessions, known = unpack(ARGV)
local claims = {}
if session == '' and address ~= '' then session = redis.call('HGET', addresses, address) or '' end
if session ~= '' then
  claims[1] = live_claim(session)
elseif address == '' then
  claims = claims_of_user(user)
end

local found = {}
for _, claim in ipairs(claims) do
  local row = redis.call('HGET', sessions .. claim.owner, claim.session)
  if row and row ~= '' then
    found[#found + 1] = claim.session
    found[#found + 1] = row
    found[#found + 1] = redis.call('HGET', known .. claim.owner, claim.session) or ''
  end
end
return found
