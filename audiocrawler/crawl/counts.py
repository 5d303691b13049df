"""Count outcomes in the stats, and share the counts of all runs and workers through the frontier."""

from collections import Counter
from collections.abc import Mapping

from scrapy.statscollectors import StatsCollector

from audiocrawler.model.statuses import Status, Trait

MAX_REASONS = 200
"""Distinct reasons that get a count of their own: hostile input could make up new ones forever."""


class OutcomeCounters:
    """Counts outcomes. What is counted for a file whose request is in progress is ``held`` until it is released.

    So a request that is lost with its process or machine, and is delivered again, counts once.
    """

    def __init__(self, stats: StatsCollector) -> None:
        self._stats = stats
        self._files: dict[int, str] = {}
        self._of: dict[str, Counter[str]] = {}
        self.held: Counter[str] = Counter()
        """Counts that are in the stats, but not reported to the frontier yet."""

    def begin(self, lease: int, source_url: str) -> None:
        """Hold what is counted for a file from now on."""
        self._files[lease] = source_url
        self._of.setdefault(source_url, Counter())

    def rename(self, lease: int | None, source_url: str) -> None:
        """Count for the lease's file under another URL from now on."""
        if lease in self._files:
            self._of[source_url] = self._of.pop(self._files[lease], Counter())
            self._files[lease] = source_url

    def share(self, source_url: str, member_url: str) -> None:
        """Hold what is counted for a member of an archive with what is counted for the archive."""
        if source_url in self._of:
            self._of[member_url] = self._of[source_url]

    def unshare(self, member_url: str) -> None:
        """Forget a member of which nothing more is counted."""
        self._of.pop(member_url, None)

    def end(self, lease: int) -> Counter[str]:
        """Return what was counted for the lease's file; it stays held."""
        return self._of.pop(self._files.pop(lease, ""), Counter())

    def release(self, counted: Counter[str]) -> None:
        """Stop holding what was counted: the request is done."""
        self.held -= counted

    def count(self, source_url: str, name: str, change: int = 1) -> None:
        """Add to a count on behalf of a file."""
        self._stats.inc_value(name, change)
        if source_url in self._of:
            self._of[source_url][name] += change
            self.held[name] += change

    def count_outcome(self, source_url: str, status: str, reason: str | None) -> None:
        """Count the outcome of an audio URL in ``audio/<status>``, and of a failure in ``audio/<status>/<reason>``."""
        self.count(source_url, f"audio/{status}")
        if status in Status.having(Trait.FAILED) and self._stats.get_value("audio/reasons", 0) < MAX_REASONS:
            self.count(source_url, "audio/reasons", int(self._stats.get_value(f"audio/{status}/{reason}") is None))
            self.count(source_url, f"audio/{status}/{reason}")


PREFIX = "audio/"
_OF_EACH_RUN = {"audio/starts"}


class Counters:
    """Scrapy's integer stats whose names begin with PREFIX, synchronised with the frontier's."""

    def __init__(self, stats: StatsCollector) -> None:
        self._stats = stats
        self._others: dict[str, int] = {}
        """What earlier runs and other workers have counted."""
        self._reported: Mapping[str, int] = {}
        """What this run has reported to the frontier."""

    def counter_deltas(self, held: Mapping[str, int]) -> dict[str, int]:
        """Return how much each of this run's counts has grown since the last call, without what is held."""
        counts = ((name, value) for name, value in self._stats.get_stats().items() if _is_counter(name, value))
        own = {name: value - self._others.get(name, 0) - held.get(name, 0) for name, value in counts}
        grown = {name: value - self._reported.get(name, 0) for name, value in own.items()}
        self._reported = own
        return {name: change for name, change in grown.items() if change}

    def take(self, counted: Mapping[str, int]) -> None:
        """Add what earlier runs and other workers have counted; ``counted`` includes what this run has reported."""
        for name, value in counted.items():
            others = value - self._reported.get(name, 0)
            self._stats.inc_value(name, others - self._others.get(name, 0))
            self._others[name] = others


def _is_counter(name: str, value: object) -> bool:
    return name.startswith(PREFIX) and type(value) is int and name not in _OF_EACH_RUN
