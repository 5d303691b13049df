"""Show progress: a bar or one line on a terminal, a line every few seconds elsewhere."""

import sys
import time
from collections.abc import Mapping
from typing import Any, Self

from audiocrawler.model.statuses import Status, Trait
from audiocrawler.report.summary import bytes_text, duration_text

BAR_WIDTH = 24
TERMINAL_S = 0.1
PLAIN_S = 5.0
"""Seconds between updates on a terminal, and elsewhere."""


def bar_line(label: str, done: int, total: int, size_bytes: int, elapsed_s: float) -> str:
    """Return one line: the number done of the total, the bytes, and the estimated time left."""
    filled = BAR_WIDTH * min(done, total) // max(total, 1)
    parts = [f"{label} {'█' * filled}{'░' * (BAR_WIDTH - filled)} {done} of {total}"]
    if size_bytes:
        parts.append(bytes_text(size_bytes))
    if 0 < done < total:
        parts.append(f"{duration_text(elapsed_s * (total - done) / done)} left")
    return " · ".join(parts)


class Bar:
    """A progress bar on stderr, used as a context manager; removed from a terminal at the end."""

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total = label, total
        self._done = self._size_bytes = 0
        self._is_terminal = sys.stderr.isatty()
        self._started_at = self._shown_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            self._write("\r\x1b[K")

    def advance(self, number: int = 1, size_bytes: int = 0) -> None:
        """Add what was done since the last call."""
        self._done += number
        self._size_bytes += size_bytes
        now = time.monotonic()
        if now - self._shown_at < (TERMINAL_S if self._is_terminal else PLAIN_S):
            return
        self._shown_at = now
        line = bar_line(self._label, self._done, self._total, self._size_bytes, now - self._started_at)
        self._write(f"\r\x1b[K{line}" if self._is_terminal else f"{line}\n")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def progress_line(stats: Mapping[str, Any], elapsed_s: float) -> str:
    """Return the crawl's progress in one line, from Scrapy's stats."""
    failed = sum(stats.get(f"audio/{status}", 0) for status in Status.having(Trait.FAILED))
    parts = [
        f"{duration_text(elapsed_s)}",
        f"{stats.get('audio/pages', 0)} pages",
        f"{stats.get('audio/found', 0)} found",
        f"{stats.get('audio/stored', 0)} stored",
        f"{stats.get('audio/duplicate', 0) + stats.get('audio/unchanged', 0)} known",
        f"{failed} failed",
        bytes_text(stats.get("audio/bytes", 0)),
        f"{duration_text(stats.get('audio/duration_ms', 0) / 1000)} of audio",
    ]
    return " · ".join(parts)
