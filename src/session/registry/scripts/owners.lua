-- The owners that count. KEYS: ….

return redis.call('ZRANGE', owners, 0, -1)
