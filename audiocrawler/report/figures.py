"""Compute the figures of the live area and of the log from Scrapy's stats."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from audiocrawler.model.statuses import Status, Trait
from audiocrawler.report.summary import bytes_text, duration_text

WAITING = "frontier/waiting"
"""Stat: pending requests, including those of other workers."""
WINDOW_S = 5.0
"""The throughput shown is the mean of this many seconds."""


class Throughput:
    """Bytes per second over the last WINDOW_S, from totals sampled now and then."""

    def __init__(self) -> None:
        self._totals: deque[tuple[float, int]] = deque()

    def of(self, total_bytes: int, now_s: float) -> float:
        """Add the current total, and return the throughput."""
        self._totals.append((now_s, total_bytes))
        while len(self._totals) > 2 and now_s - self._totals[1][0] >= WINDOW_S:
            self._totals.popleft()
        since_s, before_bytes = self._totals[0]
        return (total_bytes - before_bytes) / (now_s - since_s) if now_s > since_s else 0.0


def figures(stats: Mapping[str, Any], elapsed_s: float, bytes_per_s: float) -> list[str]:
    """Return the figures of the crawl, the most important first: a narrow terminal only shows some."""
    failed = sum(stats.get(f"audio/{status}", 0) for status in Status.having(Trait.FAILED))
    known = stats.get("audio/duplicate", 0) + stats.get("audio/unchanged", 0)
    size = bytes_text(stats.get("audio/bytes", 0))
    return [
        duration_text(elapsed_s) if elapsed_s >= 60 else f"{elapsed_s:.0f} s",
        _counted(stats.get("audio/pages", 0), "page"),
        f"{stats.get('audio/found', 0)} found",
        f"{stats.get('audio/stored', 0)} stored",
        f"{failed} failed",
        f"{stats.get(WAITING, 0)} waiting",
        f"{size} ({bytes_text(bytes_per_s)}/s)" if bytes_per_s >= 1 else size,
        f"{duration_text(stats.get('audio/duration_ms', 0) / 1000)} of audio",
        *([f"{known} known"] if known else []),
    ]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
