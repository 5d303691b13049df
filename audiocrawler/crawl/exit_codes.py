"""What a crawl came to in; its exit code, and why it is not 0, out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audiocrawler.report.summary import Summary, summarise

DONE, USAGE, NOTHING, LEFT_BEHIND, LOCKED, INTERRUPTED = 0, 2, 3, 4, 5, 130


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a crawl that has ended."""

    waiting: int = 0
    """Requests that were not done."""
    is_kept: bool = True
    """Whether the frontier outlasts the process."""
    left_behind: str | None = None
    """Why rows or requests were left behind, in one line; None if they were not."""


def conclusion(stats: Mapping[str, Any], finish_reason: str | None, rest: Rest) -> tuple[int, str | None]:
    """Return the exit code of a crawl that ran, and why it is not 0 in one line.

    Scrapy gives no ``finish_reason`` where it was stopped before the crawl had begun, or was forced: then nobody has
    counted what is left.
    """
    if rest.left_behind:
        return LEFT_BEHIND, rest.left_behind
    if finish_reason is None:
        return INTERRUPTED, f"interrupted at once{'; the same command goes on' if rest.is_kept else ''}"
    if finish_reason == "shutdown":
        return INTERRUPTED, f"interrupted: {_waiting(rest)}"
    if rest.waiting:
        return LEFT_BEHIND, f"{_end(finish_reason)}: {_waiting(rest)}"
    return _of_whole(stats)


def was_stopped(finish_reason: str | None) -> bool:
    """Return whether somebody, or a failure, has stopped the crawl: it is not over, whatever is left."""
    return finish_reason in {None, "shutdown", "left_behind", "configuration"}


def _of_whole(stats: Mapping[str, Any]) -> tuple[int, str | None]:
    if stats.get("audio/selected") == 0:
        return DONE, None  # a retry of nothing
    summary = summarise(stats)
    if failure := _why_nothing(summary, stats.get("audio/starts", 0)):
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
        return "no request waits"
    if not rest.is_kept:
        return f"{requests} not sent, and none is kept: AUDIO_FRONTIER is memory"
    return f"{requests} left; the same command goes on with {'it' if rest.waiting == 1 else 'them'}"


def _why_nothing(summary: Summary, starts: int) -> str | None:
    if len(summary.failed_starts) >= starts:
        return "every start failed"
    if not summary.found:
        return "no audio was found"
    if summary.failed and not summary.taken:
        return f"not one file came: {summary.commonest_failure}"
    return None


def _turned_away(summary: Summary) -> str:
    hosts = sorted({host for host, *_ in summary.turned_away})
    named = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")
    requests = sum(count for *_, count in summary.turned_away)
    return (
        f"{named} turned the crawl away, {requests} requests were given up: run the same command later, "
        "or `scrapy retry` for the files alone"
    )
