"""What a request's meta tells of this process's hold on it; none of it is kept in the frontier."""

from scrapy import Request

from audiocrawler.download.first_bytes import FIRST_BYTES

LEASE = "lease"
"""The number of the lease by which the request was handed out."""
STARTS = "starts"
"""How many processes have ended while the request was under way; left out for none."""
CONTINUES = "continues"
"""The number of a lease that this request goes on with: if the process ends, the first request is taken up again."""
UNFINISHED = "unfinished"
"""Whether the request is to be taken up again by the next run."""
OF_THIS_PROCESS = frozenset({LEASE, STARTS, CONTINUES, UNFINISHED, FIRST_BYTES})


def leave_unfinished(request: Request | None) -> None:
    """Let a request that is under way be taken up again, by the next run of the crawl."""
    if request is not None:
        request.meta[UNFINISHED] = True
