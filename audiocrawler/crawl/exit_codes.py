"""What a crawl came to in; its exit code, and why it is not 0, out."""

from collections.abc import Mapping
from typing import Any

from audiocrawler.report.summary import summarise

DONE, USAGE, NOTHING, LEFT_BEHIND, LOCKED, INTERRUPTED = 0, 2, 3, 4, 5, 130


def conclusion(
    stats: Mapping[str, Any], finish_reason: str | None, left_behind: str | None = None
) -> tuple[int, str | None]:
    """Return the exit code of a crawl that ran, and the error in one line if there is one to tell.

    ``left_behind`` says why rows or requests were left behind. Scrapy gives no ``finish_reason`` where it was stopped
    before the crawl had begun.
    """
    if left_behind:
        return LEFT_BEHIND, left_behind
    if finish_reason in {None, "shutdown"}:
        return INTERRUPTED, None
    if stats.get("audio/selected") == 0:
        return DONE, None  # a retry of nothing
    summary = summarise(stats)
    if len(summary.failed_starts) >= stats.get("audio/starts", 0):
        return NOTHING, "every start failed"
    if not summary.found:
        return NOTHING, "no audio was found"
    return DONE, None
