"""Decide the exit code of a crawl, and say in one line why it is not 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audiocrawler.report.summary import Summary, summarise

DONE, USAGE, NOTHING, LEFT_BEHIND, LOCKED, INTERRUPTED = 0, 2, 3, 4, 5, 130


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a crawl that has ended."""

    waiting: int = 0
    """Requests that are still pending."""
    is_kept: bool = True
    """Whether the frontier outlives the process."""
    left_behind: str | None = None
    """Why rows or requests were left behind, in one line; None if they were not."""


def conclusion(stats: Mapping[str, Any], finish_reason: str | None, rest: Rest) -> tuple[int, str | None]:
    """Return the exit code of a crawl that ran, and in one line why it is not 0.

    ``finish_reason`` is None if Scrapy was stopped before the crawl started, or was forced to stop: then the pending
    requests were not counted.
    """
    if rest.left_behind:
        return LEFT_BEHIND, rest.left_behind
    if finish_reason is None:
        return INTERRUPTED, f"interrupted at once{'; run the same command to resume' if rest.is_kept else ''}"
    if finish_reason == "shutdown":
        return INTERRUPTED, f"interrupted: {_waiting(rest)}"
    if rest.waiting:
        return LEFT_BEHIND, f"{_end(finish_reason)}: {_waiting(rest)}"
    return _of_whole(stats)


def was_stopped(finish_reason: str | None) -> bool:
    """Return whether the crawl was stopped by a person or a failure, so that it is unfinished whatever is left."""
    return finish_reason in {None, "shutdown", "left_behind", "configuration"}


def _of_whole(stats: Mapping[str, Any]) -> tuple[int, str | None]:
    if stats.get("audio/selected") == 0:
        return DONE, None  # a retry of nothing
    summary = summarise(stats)
    if failure := _why_nothing(summary, stats.get("audio/starts", 0), stats.get("audio/other_kinds", 0)):
        return NOTHING, failure
    if summary.turned_away:
        return LEFT_BEHIND, _turned_away(summary)
    return DONE, None


def _end(finish_reason: str) -> str:
    if finish_reason.startswith("closespider_"):
        return f"{finish_reason.upper()} ended the crawl"
    return f"the crawl ended early ({finish_reason})"


def _waiting(rest: Rest) -> str:
    requests = "1 request" if rest.waiting == 1 else f"{rest.waiting} requests"
    if not rest.waiting:
        return "no requests are pending"
    if not rest.is_kept:
        return f"{requests} pending, and lost: AUDIO_FRONTIER is memory"
    return f"{requests} pending; run the same command to resume"


def _why_nothing(summary: Summary, starts: int, other_kinds: int) -> str | None:
    if len(summary.failed_starts) >= starts:
        return "every start failed"
    if not summary.found:
        return "no audio was found"
    if other_kinds >= summary.found:
        return "no audio was found, only videos or archives: their rows in audio_sources name them"
    if summary.failed and not summary.taken:
        return f"no file could be downloaded: {summary.commonest_failure}"
    return None


def _turned_away(summary: Summary) -> str:
    hosts = sorted({host for host, *_ in summary.turned_away})
    named = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")
    requests = sum(count for *_, count in summary.turned_away)
    return (
        f"{named} turned the crawl away, {requests} requests were given up: run the same command later, "
        "or `scrapy retry` for the files only"
    )
