"""Show how far a piece of work is: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from typing import Self

from audiocrawler.report.live import Gauge, LiveArea, View
from audiocrawler.report.summary import bytes_text, duration_text

TERMINAL_S = 0.1
PLAIN_S = 5.0
"""Seconds between updates on a terminal, and elsewhere."""


def done_of(done: int, total: int, size_bytes: int, elapsed_s: float) -> list[str]:
    """Return what is done, of how much, how many bytes that were, and how long the rest may take."""
    items = [f"{done} of {total}"]
    if size_bytes:
        items.append(bytes_text(size_bytes))
    if 0 < done < total:
        items.append(f"{duration_text(elapsed_s * (total - done) / done)} left")
    return items


class Bar:
    """A progress bar on stderr, used as a context manager; removed from a terminal at the end."""

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total = label, total
        self._done = self._size_bytes = 0
        self._started_at = self._shown_at = time.monotonic()
        self._area: LiveArea | None = None

    def __enter__(self) -> Self:
        self._area = LiveArea.on(sys.stderr, self._view)
        if self._area is not None:
            self._area.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._area is not None:
            self._area.stop()

    def advance(self, number: int = 1, size_bytes: int = 0) -> None:
        """Add what was done since the last call."""
        self._done += number
        self._size_bytes += size_bytes
        now = time.monotonic()
        if now - self._shown_at < (TERMINAL_S if self._area is not None else PLAIN_S):
            return
        self._shown_at = now
        if self._area is not None:
            self._area.refresh()
        else:
            sys.stderr.write(f"{self._label} {' · '.join(self._items())}\n")
            sys.stderr.flush()

    def _view(self) -> View:
        return View(gauges=[Gauge(self._done, self._total, self._items(), self._label)])

    def _items(self) -> list[str]:
        return done_of(self._done, self._total, self._size_bytes, time.monotonic() - self._started_at)
