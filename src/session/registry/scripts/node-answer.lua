-- A reply into the inbox of the owner that asked. KEYS: inbox. ARGV: id, text.

redis.call('XADD', KEYS[1], 'MAXLEN', '~', 1000, '*', 'id', ARGV[1], 'body', ARGV[2])
redis.call('PEXPIRE', KEYS[1], 60000)
