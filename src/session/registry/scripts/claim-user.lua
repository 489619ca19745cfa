-- A place among the sessions of a user. KEYS: …, sessions of this owner. ARGV: owner, deadline, session, user, limit, policy.
-- Gives false, or { epoch, victim's owner, victim, … }.

local sessions = KEYS[6]
local me, deadline, session, user, limit, policy = unpack(ARGV)
local wrong = objection(me, deadline)
if wrong then return wrong end

local mine = claim_of(session)
local victims = {}
if limit ~= '-' then
  local rivals = {}
  for _, claim in ipairs(claims_of_user(user)) do
    if claim.session ~= session and not claim.leaving then rivals[#rivals + 1] = claim end
  end
  local surplus = #rivals + 1 - tonumber(limit)
  if surplus > 0 and (policy == 'reject' or surplus > #rivals) then return false end
  table.sort(rivals, function(one, other) return is_better(other, one) end)
  for at = 1, surplus do victims[at] = rivals[at] end
end

local reply = { string.format('%.0f', next_epoch()) }
for _, victim in ipairs(victims) do
  victim.leaving = true
  put(victim)
  reply[#reply + 1] = victim.owner
  reply[#reply + 1] = victim.session
end
if mine and mine.user ~= user then release(mine) end
local address = mine and mine.user == user and mine.address or '-'
put({
  session = session, owner = me, epoch = tonumber(reply[1]), start = mine and mine.start or now_ms(),
  limit = limit, address = address, user = user, leaving = false,
})
redis.call('HSETNX', sessions, session, '')
keep(sessions)
return reply
