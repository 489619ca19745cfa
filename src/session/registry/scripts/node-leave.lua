-- An owner leaves in good order: its sessions have ended, and its journal has their Stops. Stands behind claims.lua. KEYS: owners,
-- holders, users, addresses, epoch, beats, inbox, its sessions, their counters. ARGV: owner.

redis.call('ZREM', owners, ARGV[1])
redis.call('HDEL', KEYS[6], ARGV[1])
redis.call('DEL', KEYS[7])
take(KEYS[8], KEYS[9])
