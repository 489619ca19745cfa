-- Gives blocks back: anybody may have them at once. ARGV: block, epoch, block, epoch, …; a block of another epoch is left alone.

for at = 4, #ARGV, 2 do
  if redis.call('HGET', owners, ARGV[at]) == me .. ' ' .. ARGV[at + 1] then drop(ARGV[at]) end
end
return 1
