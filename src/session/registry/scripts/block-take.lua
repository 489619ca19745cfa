-- A node that begins takes what its former boots had; one that runs takes what is its own and not known to it, because the answer to its
-- request was lost. The epoch is a new one: what was sent before has no effect on these blocks any more.
--
-- ARGV: what the owners begin with whose blocks are taken. Gives what is left of the time in which nothing is granted, the epoch, and the blocks.

local whose = ARGV[4]

local settling_ms = settling()
if settling_ms > 0 then return { settling_ms, '0', {} } end

local epoch = next_epoch()
local taken = {}
local all = redis.call('HGETALL', owners)
for at = 1, #all, 2 do
  if string.sub(all[at + 1], 1, #whose) == whose then
    put(all[at], epoch)
    taken[#taken + 1] = all[at]
  end
end
return { 0, whole(epoch), taken }
