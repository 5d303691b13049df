"""Render a report as one self-contained HTML page."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from re import compile as compiled
from typing import Any

from audiocrawler import __version__
from audiocrawler.model.statuses import Status, Trait
from audiocrawler.report.columns import compressed
from audiocrawler.report.summary import bytes_text

BAR_WIDTH = 1000.0
THINNEST = 4.0
"""Of a bar that is 1,000 wide: rare statuses must stay visible."""
_WEB = compiled(r"(?i)https?://[^\s]+")
_REFUSALS = (Status.OPTED_OUT, Status.ROBOTS)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number at the top of the page."""

    name: str
    value: str
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The number of URLs with a status, and its part of the bar."""

    status: str
    number: int
    kind: str
    meaning: str
    start: float = 0
    width: float = 0


@dataclass(slots=True)
class Reason:
    """The URLs with one status and reason, of which the first are listed."""

    status: str
    reason: str
    number: int
    kind: str = ""
    meaning: str = ""
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    query: str | None = None
    """The command that lists all of them."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Different files with the same samples."""

    title: str
    files: list[str]


@dataclass(frozen=True, slots=True)
class Licence:
    """The files under one licence."""

    name: str | None
    url: str | None
    files: int
    audio: str


@dataclass(slots=True, kw_only=True)
class Report:
    """The contents of the page; ``files`` is drawn by its script."""

    title: str
    lead: str
    made_at: str
    figures: list[Figure]
    facts: list[tuple[str, str]]
    files: dict[str, Any]
    """See columns.packed."""
    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[Reason] = field(default_factory=list)
    more_failures: str = ""
    refusals: list[Reason] = field(default_factory=list)
    left_out: list[Reason] = field(default_factory=list)
    duplicates: list[Reason] = field(default_factory=list)
    copies: list[Copies] = field(default_factory=list)
    licences: list[Licence] = field(default_factory=list)
    conflicts: int = 0
    changes: list[Reason] = field(default_factory=list)
    changes_note: str = ""
    sample_note: str = ""
    manifest: str | None = None

    @property
    def urls(self) -> int:
        """Return the number of known audio URLs."""
        return sum(outcome.number for outcome in self.outcomes)

    @property
    def failed(self) -> int:
        """Return the number of URLs that failed."""
        return sum(outcome.number for outcome in self.outcomes if outcome.kind == "failed")


def kind_of(status: str) -> str:
    """Return the colour class of a status."""
    known = Status(status) if status in set(Status) else Status.FAILED
    if known in _REFUSALS:
        return "refused"
    names = {Trait.STORED: "stored", Trait.FAILED: "failed", Trait.LEFT_OUT: "left", Trait.OPEN: "open"}
    kind = next(name for trait, name in names.items() if trait in known.traits)
    return "duplicate" if known == Status.DUPLICATE else kind


def outcomes_of(numbers: Mapping[str, int]) -> list[Outcome]:
    """Return the parts of the bar of all URLs, in the order of the statuses; none is too thin to see."""
    shown = [(status, numbers[status]) for status in _in_order(numbers)]
    total = sum(number for _, number in shown) or 1
    widths = [max(THINNEST, BAR_WIDTH * number / total) for _, number in shown]
    scale = BAR_WIDTH / (sum(widths) or 1)
    outcomes: list[Outcome] = []
    for (status, number), width in zip(shown, widths, strict=True):
        start = outcomes[-1].start + outcomes[-1].width if outcomes else 0
        outcomes.append(Outcome(status, number, kind_of(status), meaning_of(status), start, round(width * scale, 2)))
    return outcomes


def meaning_of(status: str) -> str:
    """Return the meaning of a status as text."""
    return Status(status).meaning.replace("`", "") if status in set(Status) else ""


def _in_order(numbers: Mapping[str, int]) -> list[str]:
    kinds = ("stored", "duplicate", "failed", "refused", "left", "open")
    known = [each for each in numbers if numbers[each]]
    return sorted(known, key=lambda each: (kinds.index(kind_of(each)), -numbers[each]))


def page_of(report: Report) -> str:
    """Return the page."""
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=DictLoader({"page.html": _asset("page.html")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"whole": _whole, "words": _words}
    environment.tests["web"] = is_web
    style, script = _asset("page.css"), _asset("page.js")
    return environment.get_template("page.html").render(
        report=report,
        version=__version__,
        style=Markup(style),  # noqa: S704 - a file of ours
        script=Markup(script),  # noqa: S704 - the same
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=compressed(report.files),
    )


def is_web(address: object) -> bool:
    """Return whether a URL is safe as a link: some schemes run scripts."""
    return isinstance(address, str) and bool(_WEB.fullmatch(address))


def size_figure(name: str, size_bytes: int, note: str) -> Figure:
    """Return the figure of a size."""
    value, _, unit = bytes_text(size_bytes).partition(" ")
    return Figure(name, value, unit, note)


def audio_text(duration_ms: float) -> tuple[str, str]:
    """Return a long duration and its unit."""
    if duration_ms < 60_000:
        return f"{duration_ms / 1000:.1f}", "s"
    if duration_ms < 3_600_000:
        return f"{duration_ms / 60_000:.1f}", "min"
    hours = duration_ms / 3_600_000
    return (f"{hours:.1f}" if hours < 100 else f"{hours:,.0f}"), "h"


def median(sorted_values: Sequence[float]) -> float:
    """Return the median."""
    return sorted_values[len(sorted_values) // 2]


def _whole(number: int) -> str:
    return f"{number:,}"


def _words(status: str) -> str:
    return status.replace("_", " ")


def _asset(name: str) -> str:
    return files("audiocrawler.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
