"""``scrapy retry``: download again the audio whose row in audio_sources failed."""

import argparse
import sys

from scrapy.exceptions import UsageError

from audiocrawler.commands.crawl import Command as CrawlCommand
from audiocrawler.config.arguments import checked_arguments
from audiocrawler.spiders.retry import RetrySpider, Selection


class Command(CrawlCommand):
    """Retry the selected rows and print a summary; exit codes are those of a crawl, 0 if no row was selected."""

    arguments = Selection

    def syntax(self) -> str:
        """Return the usage after the command's name."""
        return "[options]"

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Retry the audio that failed"

    def take_words(self, args: list[str], given: dict[str, list[str]]) -> None:
        """Raise UsageError for any word."""
        if args:
            raise UsageError("takes options only, such as --host example.org")

    def check_spider(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check the selection."""
        self.prepare(lambda _: checked_arguments(Selection, opts.spargs), opts.spargs)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Request the selected rows again."""
        crawler = self.crawl(RetrySpider.name, opts)
        if crawler.stats.get_value("audio/selected") == 0:
            print("nothing to retry: no row of audio_sources matches", file=sys.stderr)
