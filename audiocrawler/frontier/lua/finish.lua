-- Deletes a crawl without requests. KEYS: the crawl. ARGV: its generation.
local crawl, generation = KEYS[1], tonumber(ARGV[1])
local prefix = crawl .. ':' .. generation .. ':'
if tonumber(redis.call('HGET', crawl, 'generation')) ~= generation or redis.call('HLEN', prefix .. 'data') > 0 then
    return 0
end
redis.call('HSET', crawl, 'is_finished', '1')
for _, name in ipairs(NAMES) do
    if name ~= 'counters' then redis.call('UNLINK', prefix .. name) end
end
redis.call('EXPIRE', prefix .. 'counters', 3600) -- the other workers still read them
redis.call('UNLINK', prefix .. 'slots:page', prefix .. 'slots:file')
return 1
