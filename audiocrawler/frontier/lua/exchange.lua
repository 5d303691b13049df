-- Applies a worker's report and leases requests, atomically. KEYS: the crawl, pauses, their change count. ARGV: JSON.
local crawl, pauses, changes, report = KEYS[1], KEYS[2], KEYS[3], cjson.decode(ARGV[1])
local worker = report.worker
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local prefix = crawl .. ':' .. report.generation .. ':'

for host, pause_s in pairs(report.pauses_s) do
    local until_s = math.max(now + pause_s, tonumber(redis.call('ZSCORE', pauses, host) or '0'))
    redis.call('ZADD', pauses, string.format('%.3f', until_s), host)
    redis.call('INCR', changes)
end
local change = tonumber(redis.call('GET', changes) or '0')
local paused = {}
if change ~= report.pauses_seen then
    redis.call('ZREMRANGEBYSCORE', pauses, '-inf', now)
    paused = redis.call('ZRANGE', pauses, 0, -1, 'WITHSCORES')
    for index = 2, #paused, 2 do paused[index] = string.format('%.3f', paused[index] - now) end
end

if tonumber(redis.call('HGET', crawl, 'generation')) ~= report.generation
    or redis.call('HGET', crawl, 'is_finished') == '1' then
    return {{}, {}, 0, 0, 0, redis.call('HGETALL', prefix .. 'counters'), change, paused}
end
local data, starts, leases, owners = prefix .. 'data', prefix .. 'starts', prefix .. 'leases', prefix .. 'owners'
local waiting, leased_files = prefix .. 'waiting', prefix .. 'files'

local function queue_of(kind, slot) return prefix .. 'wait:' .. kind .. ':' .. slot end

local function enqueue(number, kind, slot, score)
    redis.call('ZADD', queue_of(kind, slot), score, number)
    redis.call('ZADD', prefix .. 'slots:' .. kind, 'NX', 0, slot)
    redis.call('HINCRBY', waiting, kind, 1)
end

local function free_host(number)
    local packed = redis.call('HGET', data, number)
    if packed and redis.call('SREM', prefix .. 'off_host', number) == 0 then
        local request = cmsgpack.unpack(packed)
        if request[1] == 'file' and redis.call('HINCRBY', prefix .. 'busy', request[2], -1) <= 0 then
            redis.call('HDEL', prefix .. 'busy', request[2])
        end
    end
end

local function release(number)
    free_host(number)
    redis.call('SREM', leased_files, number)
    redis.call('ZREM', leases, number)
    redis.call('HDEL', owners, number)
    local packed = redis.call('HGET', data, number)
    if packed then
        local request = cmsgpack.unpack(packed)
        local score = request[3]
        if tonumber(redis.call('HGET', starts, number) or '0') >= report.suspect_deliveries then
            score = 4503599627370496 + number -- deferred until all others are done
        end
        enqueue(number, request[1], request[2], score)
    end
end

local function owns(number) return redis.call('HGET', owners, number) == worker end

local known = {}
for index, new in ipairs(report.new) do
    local fingerprint = new[1]:gsub('%x%x', function(digits) return string.char(tonumber(digits, 16)) end)
    if fingerprint ~= '' and redis.call('SADD', prefix .. 'seen', fingerprint) == 0 then
        known[#known + 1] = index - 1
    else
        local number = redis.call('INCR', prefix .. 'next')
        local score = number - new[4] * 1099511627776
        redis.call('HSET', data, number, cmsgpack.pack({new[2], new[3], score, new[5], new[4]}))
        enqueue(number, new[2], new[3], score)
    end
end
for _, number in ipairs(report.started) do
    if owns(number) then redis.call('HINCRBY', starts, number, 1) end
end
for _, number in ipairs(report.transferred) do
    if owns(number) then
        free_host(number)
        redis.call('SADD', prefix .. 'off_host', number)
    end
end
for _, number in ipairs(report.done) do
    if owns(number) then
        free_host(number)
        redis.call('SREM', leased_files, number)
        redis.call('ZREM', leases, number)
        redis.call('HDEL', owners, number)
        redis.call('HDEL', data, number)
        redis.call('HDEL', starts, number)
    end
end
for _, number in ipairs(report.released) do
    if owns(number) then
        redis.call('HDEL', starts, number)
        release(number)
    end
end
for _, number in ipairs(report.held) do
    if owns(number) then redis.call('ZADD', leases, 'XX', now + report.lease_s, number) end
end
for _, number in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 100)) do release(number) end
for name, change in pairs(report.counted) do redis.call('HINCRBY', prefix .. 'counters', name, change) end

local leased = {}
local function lease(kind, slot, room)
    local queue = queue_of(kind, slot)
    local popped = redis.call('ZPOPMIN', queue, room)
    for index = 1, #popped, 2 do
        local number = popped[index]
        local request = cmsgpack.unpack(redis.call('HGET', data, number))
        redis.call('ZADD', leases, now + report.lease_s, number)
        redis.call('HSET', owners, number, worker)
        if kind == 'file' then redis.call('SADD', leased_files, number) end
        leased[#leased + 1] = {tonumber(number), kind, slot, request[5], request[4],
            tonumber(redis.call('HGET', starts, number) or '0')}
    end
    redis.call('HINCRBY', waiting, kind, -#popped / 2)
    if kind == 'file' then redis.call('HINCRBY', prefix .. 'busy', slot, #popped / 2) end
    if redis.call('EXISTS', queue) == 0 then
        redis.call('ZREM', prefix .. 'slots:' .. kind, slot)
    else
        redis.call('ZADD', prefix .. 'slots:' .. kind, redis.call('INCR', prefix .. 'turn'), slot)
    end
    return #popped / 2
end

local function files_within_limit()
    local count = tonumber(redis.call('HGET', prefix .. 'counters', report.limit.counter) or '0')
    if count >= report.limit.most then return math.huge end
    return report.limit.most - count - redis.call('SCARD', leased_files)
end

for kind, wanted in pairs(report.wanted) do
    local first = 0
    if kind == 'file' and report.limit then wanted = math.min(wanted, files_within_limit()) end
    while wanted > 0 do
        local slots = redis.call('ZRANGE', prefix .. 'slots:' .. kind, first, first + 99)
        if #slots == 0 then break end
        local skipped = 0
        for _, slot in ipairs(slots) do
            local room = math.min(wanted, report.per_slot - (report.prefetched[slot] or 0))
            if kind == 'file' then
                room = math.min(room, report.files_per_slot - tonumber(redis.call('HGET', prefix .. 'busy', slot) or '0'))
            end
            if room > 0 then
                wanted = wanted - lease(kind, slot, room)
                if wanted <= 0 then break end
                report.prefetched[slot] = report.per_slot
            else
                skipped = skipped + 1
            end
        end
        if skipped == #slots then first = first + 100 end
    end
end
if report.leaves then
    redis.call('ZREM', prefix .. 'workers', worker)
else
    redis.call('ZADD', prefix .. 'workers', now, worker)
end
return {known, leased, tonumber(redis.call('HGET', waiting, 'page') or '0'),
    tonumber(redis.call('HGET', waiting, 'file') or '0'), redis.call('ZCARD', leases),
    redis.call('HGETALL', prefix .. 'counters'), change, paused}
