-- Starts or resumes a crawl. KEYS: the crawl. ARGV: crawl_id, started_at, fresh, worker, heard_of_s.
local crawl = KEYS[1]
local crawl_id, started_at, fresh = ARGV[1], ARGV[2], ARGV[3]
local worker, heard_of_s = ARGV[4], tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local generation = tonumber(redis.call('HGET', crawl, 'generation') or '0')
local prefix = crawl .. ':' .. generation .. ':'
local left = redis.call('HLEN', prefix .. 'data')
local is_over = generation == 0 or redis.call('HGET', crawl, 'is_finished') == '1'
local is_resumed = 1
if is_over or fresh == '1' then
    is_resumed = 0
    for _, kind in ipairs({'page', 'file'}) do
        for _, slot in ipairs(redis.call('ZRANGE', prefix .. 'slots:' .. kind, 0, -1)) do
            redis.call('UNLINK', prefix .. 'wait:' .. kind .. ':' .. slot)
        end
        redis.call('UNLINK', prefix .. 'slots:' .. kind)
    end
    for _, name in ipairs(NAMES) do
        redis.call('UNLINK', prefix .. name)
    end
    generation = generation + 1
    redis.call('HSET', crawl, 'generation', generation, 'crawl_id', crawl_id, 'started_at', started_at,
        'is_finished', '0')
    prefix = crawl .. ':' .. generation .. ':'
    left = 0
end
local others = redis.call('ZCOUNT', prefix .. 'workers', now - heard_of_s, '+inf')
redis.call('ZADD', prefix .. 'workers', now, worker)
return {generation, redis.call('HGET', crawl, 'crawl_id'), redis.call('HGET', crawl, 'started_at'), is_resumed, left,
    redis.call('HGETALL', prefix .. 'counters'), others}
