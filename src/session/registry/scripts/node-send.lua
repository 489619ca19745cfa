-- A command into the inbox of a node's present boot. KEYS: owners, boots. ARGV: node, when a node is suspect (in ms without a beat),
-- how the keys of inboxes begin, deadline, who asks, its id, its text. Gives 1; 0, if the node does not live or it is too late.

local owners, boots = KEYS[1], KEYS[2]
local node, suspect_after, inboxes, deadline, from, id, body = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local owner = (redis.call('HGET', boots, node) or ''):match('^%d+ (%S+)$')
local last = owner and redis.call('ZSCORE', owners, owner)
if not last or now - tonumber(last) > tonumber(suspect_after) or now > tonumber(deadline) then return 0 end
local inbox = inboxes .. owner
redis.call('XADD', inbox, 'MAXLEN', '~', 1000, '*', 'id', id, 'from', from, 'deadline', deadline, 'body', body)
-- Nobody reads what was sent to the dead.
redis.call('PEXPIRE', inbox, 60000)
return 1
