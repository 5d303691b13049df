"""Leases that are over but for their rows, which wait to be sent."""

from collections import Counter, deque
from collections.abc import Iterator

from audiocrawler.crawl.crawl import Crawl
from audiocrawler.errors import WarehouseError


class Unsent:
    """Leases in the order in which they were over, each with the number of a row that must be sent before it is done.

    A worker's outbox may be lost with its machine, so until then others must be able to do the request again, and what
    was counted for it does not count yet.
    """

    def __init__(self, crawl: Crawl) -> None:
        self._crawl = crawl
        self._leases: deque[tuple[int, int, Counter[str]]] = deque()
        self._failed_before: int | None = None

    def __len__(self) -> int:
        return len(self._leases)

    def put(self, lease: int, counted: Counter[str]) -> None:
        """Keep a lease whose rows are written, and what was counted for it."""
        self._leases.append((self._crawl.written_up_to, lease, counted))

    def sent(self) -> Iterator[tuple[int, Counter[str]]]:
        """Yield, and keep no longer, the leases whose rows are sent, with what was counted."""
        while self._leases and self._leases[0][0] <= self._crawl.flusher.sent_up_to:
            _, lease, counted = self._leases.popleft()
            yield lease, counted

    def send_soon(self) -> None:
        """Have the rows sent, because others wait for the end of the leases; raises WarehouseError if that failed."""
        flusher = self._crawl.flusher
        if self._failed_before is None:
            self._failed_before = flusher.failures
        if flusher.failures > self._failed_before:
            raise WarehouseError(f"rows cannot be sent: {flusher.error}")
        flusher.flush_soon()

    def send_in_time(self) -> None:
        """Have the rows sent when there are enough of them: nobody waits."""
        self._failed_before = None
