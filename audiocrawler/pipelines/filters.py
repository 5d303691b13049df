"""A measured file in; the same out, unless the settings refuse it."""

from scrapy.crawler import Crawler

from audiocrawler.errors import FilteredError
from audiocrawler.items import AudioItem
from audiocrawler.pipelines.stage import Stage
from audiocrawler.rights.licences_wanted import refusal
from audiocrawler.spiders.licences import stated_by


class FilterPipeline(Stage):
    """Refuses files outside the bounds of the settings."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.min_duration_ms = crawler.settings.getint("AUDIO_MIN_DURATION_MS")
        self.min_sample_rate_hz = crawler.settings.getint("AUDIO_MIN_SAMPLE_RATE_HZ")

    async def advance(self, item: AudioItem) -> None:
        """Let the file pass, or raise FilteredError."""
        assert item.audio is not None
        if reason := refusal(stated_by(item.source), self.crawl.licenses):
            raise FilteredError(reason)
        if item.audio.duration_ms < self.min_duration_ms:
            raise FilteredError(f"{item.audio.duration_ms} ms long, AUDIO_MIN_DURATION_MS is {self.min_duration_ms}")
        if (item.audio.sample_rate_hz or 0) < self.min_sample_rate_hz:
            raise FilteredError(
                f"{item.audio.sample_rate_hz} Hz, AUDIO_MIN_SAMPLE_RATE_HZ is {self.min_sample_rate_hz}"
            )
