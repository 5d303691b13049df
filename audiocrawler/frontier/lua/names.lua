-- The keys of a crawl, without its prefix; prepended to the scripts that iterate over them.
local NAMES = {
    'next', 'turn', 'data', 'starts', 'waiting', 'leases', 'owners', 'busy', 'off_host', 'files', 'workers',
    'seen', 'counters'}
