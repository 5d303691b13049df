"""Query the warehouse for what a report says."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from audiocrawler.model.rows import AudioCrawl
from audiocrawler.model.settings import defaults
from audiocrawler.model.statuses import Status, Trait, quoted
from audiocrawler.model.text import mask_text
from audiocrawler.report.charts import CHARTS
from audiocrawler.report.columns import COLUMNS, packed
from audiocrawler.report.page import (
    Copies,
    Figure,
    Licence,
    Reason,
    Report,
    audio_text,
    kind_of,
    meaning_of,
    median,
    outcomes_of,
    size_figure,
)
from audiocrawler.report.summary import bytes_text, duration_text
from audiocrawler.warehouse import Query, Tally, Warehouse
from audiocrawler.warehouse.rows import time_to_text

ROWS = 20_000
SHOWN_URLS = 50
SHOWN_REASONS = 40
SHOWN_COPIES = 30
_UNSAFE_IN_SHELL = frozenset('"$`\\!\n')
_STORED = quoted(Trait.STORED)
_REASON = f"CASE WHEN status IN ({_STORED}) THEN '' ELSE COALESCE(reason, '') END"
"""The reason of a duplicate names the other URL, so each would be a group of its own."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of a report."""

    where: str = ""
    crawl_id: str | None = None
    rows: int = ROWS
    objects: str | None = None
    """The store's address as seen from the page; None if the page cannot reach it."""
    backslashes: bool = False
    """Whether a backslash starts an escape in the database's string literals."""
    query_command: str | None = None
    manifest: Callable[[str], str | None] = field(default=lambda _: None)
    previews: Callable[[list[tuple[str, str]]], dict[str, str]] | None = None
    """Returns previews to embed, by hash, of files given by hash and extension."""


@dataclass(frozen=True, slots=True)
class _Totals:
    files: int
    duration_ms: int
    size_bytes: int
    licensed: int
    hosts: int
    conflicts: int
    licences: list[Licence]


def report_of(warehouse: Warehouse, wanted: Wanted) -> Report:
    """Return the contents of a report; raises ConfigurationError if the database refuses ``where``."""
    totals = _totals(warehouse, wanted)
    files = _files(warehouse, wanted, totals.files)
    numbers, reasons = _reasons(warehouse, wanted)
    crawls = sorted(warehouse.crawl_rows(), key=lambda row: row.started_at or datetime.min.replace(tzinfo=UTC))
    crawl, before = _chosen(crawls, wanted.crawl_id)
    outcomes = outcomes_of(numbers)
    failures = [reason for reason in reasons if reason.kind == "failed"]
    report = Report(
        title=_title(crawl, totals),
        lead=_lead(crawl, crawls, wanted),
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        figures=_figures(totals, files, sum(each.number for each in outcomes if each.kind in {"failed", "refused"})),
        facts=_facts(crawl) if crawl else [],
        files=files,
        outcomes=outcomes,
        failures=failures[:SHOWN_REASONS],
        refusals=[reason for reason in reasons if reason.kind == "refused"][:SHOWN_REASONS],
        left_out=[reason for reason in reasons if reason.kind in {"left", "open"}][:SHOWN_REASONS],
        duplicates=[reason for reason in reasons if reason.kind == "duplicate"],
        copies=_copies(warehouse, wanted),
        licences=totals.licences,
        conflicts=totals.conflicts,
        manifest=wanted.manifest(crawl.crawl_id) if crawl else None,
    )
    if rest := failures[SHOWN_REASONS:]:
        report.more_failures = f"{len(rest):,} more reasons, {sum(reason.number for reason in rest):,} URLs."
    if files["n"] < totals.files:
        report.sample_note = (
            f"{files['n']:,} of {totals.files:,} files are listed, chosen by their hash. Figures and charts are of all "
            "files; once a filter is set, its numbers are estimates from those listed."
        )
    if crawl and before and crawl.started_at:
        report.changes = _changes(warehouse, crawl, crawl.started_at)
        report.changes_note = f"{_when(before)}, compared with {_when(crawl)}."
    return report


def _totals(warehouse: Warehouse, wanted: Wanted) -> _Totals:
    by = {"license": "license", "license_url": "license_url", "conflict": "license_conflict"}
    tally = Tally(by, ("duration_ms", "size_bytes"))
    rows = list(warehouse.select(Query("files", wanted.where, tally=tally)))
    licences: dict[str | None, list[Any]] = {}
    for row in sorted(rows, key=lambda row: row["n"]):
        entry = licences.setdefault(row["license"], [None, 0, 0])
        entry[0] = row["license_url"] or entry[0]  # that of the most files comes last
        entry[1] += row["n"]
        entry[2] += row["duration_ms"]
    ordered = sorted(licences.items(), key=lambda each: (each[0] is None, -each[1][1], each[0] or ""))
    hosts = list(warehouse.select(Query("files", wanted.where, tally=Tally({"host": "host"}))))
    return _Totals(
        files=sum(row["n"] for row in rows),
        duration_ms=sum(row["duration_ms"] for row in rows),
        size_bytes=sum(row["size_bytes"] or 0 for row in rows),
        licensed=sum(row["n"] for row in rows if row["license"] is not None),
        hosts=sum(row["host"] is not None for row in hosts),
        conflicts=sum(row["n"] for row in rows if row["conflict"]),
        licences=[Licence(name, url, n, " ".join(audio_text(ms))) for name, (url, n, ms) in ordered],
    )


def _files(warehouse: Warehouse, wanted: Wanted, total: int) -> dict[str, Any]:
    """Return the listed rows; of too many, those with the smallest hashes: a sample that is stable between reports."""
    is_sample = total > wanted.rows
    order, limit = ("sha256", wanted.rows) if is_sample else ("", None)
    rows = warehouse.select(Query("files", wanted.where, COLUMNS, order, limit))
    counts = {chart.column: _counts(warehouse, wanted, chart.sql) for chart in CHARTS} if is_sample else None
    files = packed(rows, counts)
    files |= {"total": total, "where": wanted.where, "objects": wanted.objects, "backslashes": wanted.backslashes}
    return files | {"previews": wanted.previews(_names(files)) if wanted.previews else None}


def _counts(warehouse: Warehouse, wanted: Wanted, expression: str) -> Counter[Any]:
    rows = warehouse.select(Query("files", wanted.where, tally=Tally({"bar": expression})))
    return Counter({row["bar"]: row["n"] for row in rows})


def _names(files: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the hash and extension of each listed file."""
    hashes, extension = files["columns"]["sha256"], files["columns"]["extension"]
    return [
        (hashes[64 * place : 64 * place + 64], extension["values"][code])
        for place, code in enumerate(extension["codes"])
        if code >= 0
    ]


def _reasons(warehouse: Warehouse, wanted: Wanted) -> tuple[Counter[str], list[Reason]]:
    """Return the number of URLs by status, and the reasons of those without a file of their own."""
    tally = Tally({"status": "status", "why": _REASON})
    numbers: Counter[str] = Counter()
    reasons = []
    for row in warehouse.select(Query("sources", tally=tally)):
        status, why = row["status"], row["why"]
        numbers[status] += row["n"]
        if kind_of(status) != "stored":
            meaning = meaning_of(status)
            reasons.append(Reason(status, why, row["n"], kind_of(status), meaning, query=_listing(wanted, status, why)))
    urls = _urls_by_reason(warehouse)
    for reason in reasons:
        reason.rows = urls[reason.status, reason.reason]
    return numbers, sorted(reasons, key=lambda reason: (-reason.number, reason.status, reason.reason))


def _urls_by_reason(warehouse: Warehouse) -> dict[tuple[str, str], list[Any]]:
    """Return the first URLs of each reason, except stored ones."""
    place = f"ROW_NUMBER() OVER (PARTITION BY status, {_REASON} ORDER BY source_url)"
    has_none = f"status IN ('{Status.STORED}', '{Status.UNCHANGED}')"
    first = f"SELECT source_url, {place} AS place FROM sources WHERE NOT {has_none}"  # noqa: S608 - all declared
    where = f"source_url IN (SELECT source_url FROM ({first}) WHERE place <= {SHOWN_URLS})"  # noqa: S608 - the same
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in warehouse.select(Query("sources", where, ("status", "reason", "source_url", "page_url"), "source_url")):
        why = "" if row["status"] in Status.having(Trait.STORED) else row["reason"] or ""
        found[row["status"], why].append(row)
    return found


def _listing(wanted: Wanted, status: str, why: str) -> str | None:
    """Return the command that lists all URLs of a reason; None if a shell would not take it literally."""
    if wanted.query_command is None or _UNSAFE_IN_SHELL & set(why):
        return None
    reason = "" if not why else f" AND reason = '{why.replace(chr(39), chr(39) * 2)}'"
    query = f"SELECT source_url FROM audio_sources WHERE status = '{status}'{reason}"  # noqa: S608 - shown, not run
    return f'{wanted.query_command} "{query}"'


def _copies(warehouse: Warehouse, wanted: Wanted) -> list[Copies]:
    """Return groups of files with different bytes and the same samples."""
    several = "SELECT pcm_hash FROM files WHERE pcm_hash IS NOT NULL GROUP BY pcm_hash HAVING COUNT(*) > 1"
    where = f"pcm_hash IN ({several})" + (f" AND (\n{wanted.where}\n)" if wanted.where else "")
    columns = ("pcm_hash", "title", "file_name", "source_url")
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in warehouse.select(Query("files", where, columns, "pcm_hash", 10 * SHOWN_COPIES)):
        groups[row["pcm_hash"]].append(row)
    return [
        Copies(rows[0]["title"] or rows[0]["file_name"], sorted(row["source_url"] or "" for row in rows))
        for rows in list(groups.values())[:SHOWN_COPIES]
        if len(rows) > 1
    ]


def _changes(warehouse: Warehouse, crawl: AudioCrawl, start: datetime) -> list[Reason]:
    """Return what is new, changed or gone since the previous crawl."""
    since = f"'{time_to_text(start).replace('+00:00', 'Z')}'"
    tried = f"last_attempt_at >= {since}"
    known = f"first_seen_at < {since}"
    fresh = f"sha256 IN (SELECT sha256 FROM files WHERE first_seen_at >= {since})"  # noqa: S608 - a time
    kinds = (
        (
            "new",
            "stored",
            "found for the first time, and stored",
            f"first_seen_at >= {since} AND status IN ({_STORED})",
        ),
        ("changed", "duplicate", "known before, and has other bytes now", f"{known} AND {tried} AND {fresh}"),
        ("gone", "failed", "the server says that it is gone", f"{known} AND {tried} AND status = '{Status.GONE}'"),
        *_unseen(crawl, since),
    )
    changes = []
    for name, kind, meaning, where in kinds:
        (row,) = warehouse.select(Query("sources", where, tally=Tally()))
        if row["n"]:
            rows = list(warehouse.select(Query("sources", where, ("source_url", "page_url"), "source_url", SHOWN_URLS)))
            changes.append(Reason(name, "", row["n"], kind, meaning, list(rows)))
    return changes


def _unseen(crawl: AudioCrawl, since: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield the URLs that no page of the same sites names any more; only a finished crawl can tell."""
    if crawl.exit_code == 0:
        sites = f"SELECT site FROM sources WHERE last_seen_at >= {since}"  # noqa: S608 - a time
        where = f"last_seen_at < {since} AND status IN ({_STORED}) AND site IN ({sites})"
        yield "not found", "left", "stored before; no page that was read names it any longer", where


def _chosen(crawls: list[AudioCrawl], crawl_id: str | None) -> tuple[AudioCrawl | None, AudioCrawl | None]:
    """Return the crawl shown at the top, and the previous one."""
    known = [place for place, row in enumerate(crawls) if crawl_id in {None, row.crawl_id}]
    if not known:
        return None, None
    place = known[-1]
    return crawls[place], crawls[place - 1] if place else None


def _title(crawl: AudioCrawl | None, totals: _Totals) -> str:
    given = (crawl.arguments or {}).get("url", "") if crawl else ""
    urls = given.split()
    if not urls:
        return f"{totals.files:,} files"
    first = urls[0].removeprefix("https://").removeprefix("http://").removesuffix("/")
    return first + (f" and {len(urls) - 1} more" if len(urls) > 1 else "")


def _lead(crawl: AudioCrawl | None, crawls: list[AudioCrawl], wanted: Wanted) -> str:
    parts = []
    if crawl and crawl.started_at:
        took = (crawl.finished_at - crawl.started_at).total_seconds() if crawl.finished_at else None
        parts.append(f"Crawled {_when(crawl)}" + (f" in {duration_text(took)}" if took is not None else ""))
    if crawl and crawl.exit_code:
        parts.append(f"ended with exit code {crawl.exit_code}" + (f": {mask_text(crawl.error)}" if crawl.error else ""))
    if len(crawls) > 1:
        parts.append(f"one of {len(crawls):,} crawls of this collection")
    if wanted.where:
        parts.append(f"only files where {wanted.where}")
    return ", ".join(parts) + "." if parts else ""


def _when(crawl: AudioCrawl) -> str:
    return f"{crawl.started_at:%Y-%m-%d %H:%M} UTC" if crawl.started_at else crawl.crawl_id


def _figures(totals: _Totals, files: dict[str, Any], without_file: int) -> list[Figure]:
    is_sample = files["n"] < totals.files
    lengths = sorted(files["columns"]["duration_ms"])
    levels = sorted(level for level in files["columns"]["lufs"] if level is not None)
    value, unit = audio_text(totals.duration_ms)
    typical = f"median {'≈ ' * is_sample}{duration_text(median(lengths) / 1000)}" if lengths else ""
    share = 100 * totals.licensed / totals.files if totals.files else 0
    return [
        Figure("Files", f"{totals.files:,}", note=f"from {totals.hosts:,} host{'s' * (totals.hosts != 1)}"),
        Figure("Audio", value, unit, typical),
        size_figure("Stored", totals.size_bytes, f"{bytes_text(totals.size_bytes / max(1, totals.files))} a file"),
        Figure("Loudness", _level_text(levels), "LUFS", "median of those listed" if is_sample else "median"),
        Figure("Licence", f"{share:.0f}", "%", f"stated for {totals.licensed:,}"),
        Figure("No file", f"{without_file:,}", note="URLs without one"),
    ]


def _level_text(levels: list[int]) -> str:
    return f"{median(levels) / 10:.1f}".replace("-", "\N{MINUS SIGN}") if levels else "\N{EN DASH}"


def _facts(crawl: AudioCrawl) -> list[tuple[str, str]]:
    default = {name: str(value) for name, value in defaults().items()}
    settings = {name: text for name, text in (crawl.settings or {}).items() if text != default.get(name)}
    versions = ", ".join(f"{name} {version}" for name, version in (crawl.versions or {}).items())
    facts = [
        ("crawl", crawl.crawl_id),
        *((name, str(value)) for name, value in (crawl.arguments or {}).items()),
        ("begun", f"{crawl.started_at:%Y-%m-%d %H:%M:%S} UTC" if crawl.started_at else ""),
        ("ended", f"{crawl.finished_at:%Y-%m-%d %H:%M:%S} UTC" if crawl.finished_at else "not yet"),
        ("exit code", "" if crawl.exit_code is None else str(crawl.exit_code)),
        ("error", crawl.error or ""),
        ("pages", "" if crawl.pages is None else f"{crawl.pages:,}"),
        ("found", "" if crawl.found is None else f"{crawl.found:,} audio URLs"),
        ("versions", versions),
        *settings.items(),
    ]
    return [(name, mask_text(value)) for name, value in facts if value]
