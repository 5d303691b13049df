-- The keys of a crawl, after its prefix; put before the scripts that go through all of them.
local NAMES = {
    'next', 'turn', 'data', 'starts', 'waiting', 'leases', 'owners', 'busy', 'off_host', 'files', 'workers',
    'seen', 'counters'}
