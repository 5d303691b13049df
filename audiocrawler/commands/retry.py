"""``scrapy retry``: fetches again what failed, as audio_sources has it."""

import argparse
import sys

from scrapy.exceptions import UsageError

from audiocrawler.commands.crawl import Command as CrawlCommand
from audiocrawler.config.arguments import checked_arguments
from audiocrawler.spiders.retry import RetrySpider, Selection


class Command(CrawlCommand):
    """Try the selected rows again and say what came of it; exit codes as those of a crawl, 0 if there were none."""

    def syntax(self) -> str:
        """Return what follows the name of the command."""
        return "[options]"

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Fetch again the audio that failed"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add an option for each field of the selection."""
        super().add_options(parser)
        for name, field in Selection.model_fields.items():
            parser.add_argument(f"--{name}", metavar=name.upper(), help=field.description)

    def arguments_help(self) -> str:
        """Return nothing: the selection is given by options."""
        return ""

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check the selection."""
        super().process_options(args, opts)
        if args:
            raise UsageError("takes options only, such as --host example.org")
        given = {name: getattr(opts, name) for name in Selection.model_fields}
        opts.spargs |= {name: value for name, value in given.items() if value is not None}
        self.prepare(lambda _: checked_arguments(Selection, opts.spargs))

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Request the selected rows again."""
        crawler = self.crawl(RetrySpider.name, opts)
        if crawler.stats.get_value("audio/selected") == 0:
            print("no row of audio_sources is to be tried again", file=sys.stderr)
