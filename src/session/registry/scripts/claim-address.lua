-- An address. KEYS: …, sessions of this owner, their counters, quarantine. ARGV: owner, deadline, session, user, address, policy, 1 if
-- it is drawn out of the owner's own blocks. Gives false, or { epoch, victim's owner, victim }.

local sessions, quarantine = KEYS[6], KEYS[8]
local me, deadline, session, user, address, policy, drawn = unpack(ARGV)
local wrong = objection(me, deadline)
if wrong then return wrong end

local mine = claim_of(session)
-- Another of the user's sessions has taken its place meanwhile.
if mine and mine.leaving then return false end
-- Its node has died, and may serve it still; a node's own blocks are what it served itself, or what has rested.
local until_ms, last_user = (redis.call('HGET', quarantine, address) or ''):match('^(%d+) (%S*)$')
if drawn ~= '1' and until_ms and tonumber(until_ms) > now_ms() and last_user ~= user then return false end
local rival = rival_for(address, session)
if rival and (policy == 'reject' or rival.user ~= user) then return false end

local epoch = next_epoch()
local reply = { string.format('%.0f', epoch) }
if rival then
  rival.leaving = true
  put(rival)
  reply[2] = rival.owner
  reply[3] = rival.session
end
if mine and mine.address ~= address then free_address(mine) end
put({
  session = session, owner = me, epoch = epoch, start = mine and mine.start or now_ms(),
  limit = mine and mine.limit or '-', address = address, user = user, leaving = false,
})
redis.call('HSET', addresses, address, session)
redis.call('HSETNX', sessions, session, '')
keep(sessions)
return reply
