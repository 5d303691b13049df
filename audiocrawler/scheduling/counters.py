"""The counts of a crawl, which its runs and its workers share through the frontier."""

from collections.abc import Mapping

from scrapy.statscollectors import StatsCollector

PREFIX = "audio/"
_OF_EACH_RUN = {"audio/starts"}


class Counters:
    """Scrapy's stats that are whole numbers and begin with PREFIX, kept in step with the frontier's."""

    def __init__(self, stats: StatsCollector) -> None:
        self._stats = stats
        self._others: dict[str, int] = {}
        """What earlier runs and other workers have counted."""
        self._told: Mapping[str, int] = {}
        """What of this run's the frontier has, or is being told."""

    def uncounted(self, held: Mapping[str, int]) -> dict[str, int]:
        """Return by how much each of this run's counts, but for what is held, has grown since this was last asked."""
        counts = ((name, value) for name, value in self._stats.get_stats().items() if _is_counter(name, value))
        own = {name: value - self._others.get(name, 0) - held.get(name, 0) for name, value in counts}
        grown = {name: value - self._told.get(name, 0) for name, value in own.items()}
        self._told = own
        return {name: change for name, change in grown.items() if change}

    def take(self, counted: Mapping[str, int]) -> None:
        """Take over what earlier runs and others have counted; ``counted`` has what this one has told, too."""
        for name, value in counted.items():
            others = value - self._told.get(name, 0)
            self._stats.inc_value(name, others - self._others.get(name, 0))
            self._others[name] = others


def _is_counter(name: str, value: object) -> bool:
    return name.startswith(PREFIX) and type(value) is int and name not in _OF_EACH_RUN
