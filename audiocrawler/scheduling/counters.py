"""The counts of a crawl, which its runs and its workers share through the frontier."""

from collections.abc import Mapping

from scrapy.statscollectors import StatsCollector

PREFIX = "audio/"
_OF_EACH_RUN = {"audio/starts"}


class Counters:
    """Scrapy's stats that are whole numbers and begin with PREFIX, kept in step with the frontier's."""

    def __init__(self, stats: StatsCollector) -> None:
        self._stats = stats
        self._told: dict[str, int] = {}
        """The values that the frontier has, or is being told."""

    def load(self, counted: Mapping[str, int]) -> None:
        """Go on from what earlier runs have counted."""
        for name, value in counted.items():
            self._stats.inc_value(name, value)
        self._told = dict(counted)

    def uncounted(self) -> dict[str, int]:
        """Return by how much each counter has grown since this was last asked."""
        now = {name: value for name, value in self._stats.get_stats().items() if _is_counter(name, value)}
        grown = {name: value - self._told.get(name, 0) for name, value in now.items()}
        self._told = now
        return {name: change for name, change in grown.items() if change}

    def take(self, counted: Mapping[str, int]) -> None:
        """Take over what other workers have counted; ``counted`` has what this one has told, too."""
        for name, value in counted.items():
            self._stats.inc_value(name, value - self._told.get(name, 0))
            self._told[name] = value


def _is_counter(name: str, value: object) -> bool:
    return name.startswith(PREFIX) and type(value) is int and name not in _OF_EACH_RUN
