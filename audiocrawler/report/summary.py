"""Summarise a crawl from Scrapy's stats: the table printed at its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from audiocrawler.model.statuses import Status, Trait
from audiocrawler.report.outlook import Outlook

_BYTE_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def bytes_text(size_bytes: float) -> str:
    """Return a size with its decimal unit: 999 bytes, 1.2 MB."""
    size, unit = float(size_bytes), 0
    while size >= 1000 and unit < len(_BYTE_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_BYTE_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_BYTE_UNITS[unit]}"


def duration_text(seconds: float) -> str:
    """Return a duration in its largest units: 4.2 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


SHOWN_REASONS = 4
FAILED_START = "audio/failed_start/"
"""Prefix of the stats of failed starts; followed by the start and the reason."""
TURNED_AWAY = "audio/turned_away/"
"""Prefix of the stats of hosts that were given up; followed by download slot, space and reason."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a crawl's results are, as a user would type them."""

    store: str
    warehouse: str
    log: str | None
    query_command: str | None = None
    """The command that runs an SQL query on the tables, if there is one."""
    report: str | None = None
    """The page that shows all of it."""


@dataclass(slots=True)
class Summary:
    """The results of a crawl."""

    pages: int
    found: int
    stored: int
    duplicates: int
    unchanged: int
    listed: int
    not_taken: dict[str, int]
    reasons: dict[str, dict[str, int]]
    pending: int
    audio_ms: int
    stored_bytes: int
    elapsed_s: float
    failed_starts: list[str] = field(default_factory=list)
    turned_away: list[tuple[str, str, int]] = field(default_factory=list)
    """Host, whether pages or files with the reason, and the number of requests given up."""
    beyond_page_limit: int = 0
    mended: int = 0
    transcripts: int = 0
    chapters: int = 0
    texts_failed: int = 0
    opened: int = 0
    """Pages that were opened in a browser ..."""
    not_opened: int = 0
    """... and those that seemed to need one, and were not opened or failed."""

    @property
    def taken(self) -> int:
        """Return the number of URLs that were successful."""
        return self.stored + self.duplicates + self.unchanged + self.listed

    @property
    def failed(self) -> int:
        """Return the number of URLs that failed."""
        return sum(self.not_taken.get(status, 0) for status in Status.having(Trait.FAILED))

    @property
    def commonest_failure(self) -> str:
        """Return the most frequent reason and how often it occurred."""
        counted = [(times, reason) for of_status in self.reasons.values() for reason, times in of_status.items()]
        times, reason = max(counted, default=(self.failed, "failed"), key=lambda each: each[0])
        return f"{times} x {reason}"


def summarise(stats: Mapping[str, Any]) -> Summary:
    """Return the summary of a finished crawl."""
    failed, left_out = Status.having(Trait.FAILED), Status.having(Trait.LEFT_OUT)
    count = {status: stats.get(f"audio/{status}", 0) for status in Status if Trait.OPEN not in status.traits}
    found = stats.get("audio/found", 0)
    listed = stats.get("audio/listed", 0)
    return Summary(
        pages=stats.get("audio/pages", 0),
        found=found,
        stored=count[Status.STORED],
        duplicates=count[Status.DUPLICATE],
        unchanged=count[Status.UNCHANGED],
        listed=listed,
        not_taken={status: count[status] for status in (*failed, *left_out) if count[status]},
        reasons={status: _reasons(stats, status) for status in failed},
        pending=max(0, found - listed - sum(count.values())),
        audio_ms=stats.get("audio/duration_ms", 0),
        stored_bytes=stats.get("audio/stored_bytes", 0),
        elapsed_s=stats.get("elapsed_time_seconds", 0.0),
        turned_away=_turned_away(stats),
        failed_starts=[name.removeprefix(FAILED_START) for name in stats if name.startswith(FAILED_START)],
        beyond_page_limit=stats.get("audio/beyond_page_limit", 0),
        mended=stats.get("audio/mended", 0),
        transcripts=stats.get("audio/texts_transcript", 0),
        chapters=stats.get("audio/texts_chapters", 0),
        texts_failed=stats.get("audio/texts_failed", 0),
        opened=stats.get("browser/pages", 0),
        not_opened=sum(stats.get(f"browser/{name}", 0) for name in ("pages_failed", "missing"))
        + max(0, stats.get("browser/left_out", 0) - stats.get("browser/taken_up", 0)),
    )


def format_summary(summary: Summary, places: Places, outlook: Outlook | None = None) -> str:
    """Return the table as it is printed."""
    outlook = outlook or Outlook()
    rows = [
        ("pages", f"{summary.pages}"),
        *_counted("in browser", summary.opened, "pages whose scripts were run"),
        *_counted("not opened", summary.not_opened, "pages that may have more audio; see the reasons in audio_sources"),
        ("found", f"{summary.found} audio URLs"),
        ("stored", f"{summary.stored} files, {bytes_text(summary.stored_bytes)}, {_hours(summary.audio_ms)}"),
        *_counted("mended", summary.mended, "of these: their objects were missing or damaged, and are repaired"),
        *_counted("transcripts", summary.transcripts, "stored with their audio"),
        *_counted("chapters", summary.chapters, "stored with their audio"),
        *_counted("no text", summary.texts_failed, "transcripts or chapters that failed; see texts in audio_sources"),
        *_counted("duplicates", summary.duplicates, "the same bytes at another URL"),
        *_counted("unchanged", summary.unchanged, "stored by an earlier crawl"),
        *_counted("listed", summary.listed, "not downloaded, as asked"),
        *chain.from_iterable(
            _with_reasons(status, count, summary.reasons.get(status, {})) for status, count in summary.not_taken.items()
        ),
        *_counted("left", summary.pending, "pending, left to the next run"),
        *outlook.waiting_rows(),
        *(("turned away", f"{count} requests for {what}") for _, what, count in summary.turned_away),
        *_counted("left out", summary.beyond_page_limit, "beyond AUDIO_MAX_FILES_PER_PAGE; see the log for the pages"),
        ("time", duration_text(summary.elapsed_s)),
        ("files", places.store),
        ("database", places.warehouse),
        *([("log", places.log)] if places.log else []),
        *([("report", places.report)] if places.report else []),
        *outlook.next_rows(),
    ]
    lines = [f"  {name:<11} {value}" for name, value in rows]
    return "\n".join([*lines, *_notes(summary), *_example_query(places, summary)])


def _reasons(stats: Mapping[str, Any], status: str) -> dict[str, int]:
    prefix = f"audio/{status}/"
    counted = {key.removeprefix(prefix): count for key, count in stats.items() if key.startswith(prefix)}
    return dict(sorted(counted.items(), key=lambda reason: (-reason[1], reason[0])))


def _turned_away(stats: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    found = []
    for name, count in stats.items():
        if name.startswith(TURNED_AWAY):
            slot, _, reason = name.removeprefix(TURNED_AWAY).partition(" ")
            host = slot.removeprefix("media:")
            found.append((host, f"{'pages' if host == slot else 'files'}: {reason}", count))
    return sorted(found)


def _with_reasons(status: str, count: int, reasons: dict[str, int]) -> list[tuple[str, str]]:
    """Return the row of the count, followed by rows of its most frequent reasons."""
    commonest = [("", f"{times} x {reason}") for reason, times in list(reasons.items())[:SHOWN_REASONS]]
    left_out = [("", "...")] if len(reasons) > SHOWN_REASONS else []
    return [(status.replace("_", " "), f"{count}"), *commonest, *left_out]


def _hours(audio_ms: int) -> str:
    return (
        f"{audio_ms / 3_600_000:.2f} hours of audio"
        if audio_ms >= 3_600_000
        else f"{duration_text(audio_ms / 1000)} of audio"
    )


def _counted(name: str, count: int, meaning: str) -> list[tuple[str, str]]:
    return [(name, f"{count} ({meaning})")] if count else []


def _notes(summary: Summary) -> list[str]:
    return [f"  start failed: {start}" for start in summary.failed_starts]


def _example_query(places: Places, summary: Summary) -> list[str]:
    if not places.query_command or not summary.found:
        return []
    query = (
        "SELECT file_name, duration_ms, loudness, classification FROM audio_metadata"
        if summary.stored
        else "SELECT source_url, status, reason FROM audio_sources"
    )
    return ["", f'  {places.query_command} "{query} LIMIT 5"']
