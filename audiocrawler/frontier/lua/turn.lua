-- Reserves the next turn at a host. KEYS: the host's key. ARGV: its delay in seconds.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local delay_s = tonumber(ARGV[1])
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.6f', at + delay_s), 'PX', math.ceil((at - now + delay_s) * 1000) + 1000)
return string.format('%.6f', at - now)
