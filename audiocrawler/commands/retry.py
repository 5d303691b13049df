"""``scrapy retry``: fetches again what failed, as audio_sources has it."""

import argparse
import sys

from scrapy.exceptions import UsageError

from audiocrawler.commands.crawl import Command as CrawlCommand
from audiocrawler.config.arguments import checked_arguments
from audiocrawler.spiders.retry import RetrySpider, Selection


class Command(CrawlCommand):
    """Try the selected rows again and say what came of it; exit codes as those of a crawl, 0 if there were none."""

    arguments = Selection

    def syntax(self) -> str:
        """Return what follows the name of the command."""
        return "[options]"

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Fetch again the audio that failed"

    def take_words(self, args: list[str], given: dict[str, list[str]]) -> None:
        """Refuse any."""
        if args:
            raise UsageError("takes options only, such as --host example.org")

    def check_spider(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check the selection."""
        self.prepare(lambda _: checked_arguments(Selection, opts.spargs), opts.spargs)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Request the selected rows again."""
        crawler = self.crawl(RetrySpider.name, opts)
        if crawler.stats.get_value("audio/selected") == 0:
            print("no row of audio_sources is to be tried again", file=sys.stderr)
