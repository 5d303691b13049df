"""The one line that a terminal shows while a crawl runs."""

from collections.abc import Mapping
from typing import Any

from audiocrawler.report.quantities import bytes_text, duration_text
from audiocrawler.report.summary import FAILED_STATUSES


def progress_line(stats: Mapping[str, Any], elapsed_s: float) -> str:
    """Return how far the crawl is, from Scrapy's stats."""
    failed = sum(stats.get(f"audio/{status}", 0) for status in FAILED_STATUSES)
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
