"""Requests that go on with a lease that is under way: some at once, some after a wait of their own."""

import time
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from scrapy import Request


class Continuing:
    """Keeps such requests by slot, in the order in which they may go."""

    def __init__(self) -> None:
        self._ready: dict[str, list[Request]] = {}
        self._later: list[tuple[float, int, str, Request]] = []
        self._number = count()

    def __bool__(self) -> bool:
        return bool(self._ready or self._later)

    def __iter__(self) -> Iterator[Request]:
        for requests in self._ready.values():
            yield from requests
        yield from (request for *_, request in self._later)

    def put(self, request: Request, slot: str, wait_s: float = 0.0) -> None:
        """Keep a request that may go in so many seconds."""
        if wait_s > 0:
            heappush(self._later, (time.monotonic() + wait_s, next(self._number), slot, request))
        else:
            self._ready.setdefault(slot, []).append(request)

    def slots(self) -> list[str]:
        """Return the slots with a request that may go now."""
        while self._later and self._later[0][0] <= time.monotonic():
            *_, slot, request = heappop(self._later)
            self.put(request, slot)
        return list(self._ready)

    def take(self, slot: str) -> Request | None:
        """Return the next request of a slot, None if none may go now."""
        if slot not in self._ready:
            return None
        request = self._ready[slot].pop(0)
        if not self._ready[slot]:
            del self._ready[slot]
        return request

    def remove_all(self) -> list[Request]:
        """Return all requests, and keep none."""
        removed = list(self)
        self._ready.clear()
        self._later.clear()
        return removed
