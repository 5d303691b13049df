"""``scrapy flush``: sends the rows that a crawl has left in the outbox."""

import argparse
import sys

from scrapy.commands import ScrapyCommand

from audiocrawler.commands.crawl import refuse
from audiocrawler.commands.streams import outlive_readers
from audiocrawler.commands.usage import program, refuse_words, speak_plainly
from audiocrawler.crawl.crawl import warehouse_options
from audiocrawler.crawl.exit_codes import DONE, LEFT_BEHIND
from audiocrawler.model.errors import AudioCrawlerError, ConfigurationError
from audiocrawler.warehouse import FlushResult, Warehouse, open_warehouse


class Command(ScrapyCommand):
    """Send what waits in AUDIO_OUTBOX to AUDIO_WAREHOUSE. Exit codes: 0 all sent, 2 configuration, 4 rows are left."""

    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Send the rows that wait in the outbox to the warehouse"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add none of its own."""
        super().add_options(parser)
        speak_plainly(parser)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Flush batch by batch, a line each."""
        outlive_readers()
        refuse_words(args)
        assert self.settings is not None
        try:
            warehouse = open_warehouse(self.settings["AUDIO_WAREHOUSE"], warehouse_options(self.settings))
        except ConfigurationError as error:
            refuse(error)
        try:
            self.exitcode = flush_all(warehouse)
        finally:
            warehouse.close()


def flush_all(warehouse: Warehouse) -> int:
    """Send all rows that wait, a line for each batch, and return the exit code."""
    result = FlushResult(left=warehouse.pending_rows())
    print(f"{result.left} rows wait")
    while result.left:
        try:
            result = warehouse.flush()
        except AudioCrawlerError as error:
            result = FlushResult(left=result.left, error=str(error))
        if result.error:
            print(f"{program()}: error: {result.left} rows are left: {result.error}", file=sys.stderr)
            return LEFT_BEHIND
        print(f"{result.sent} sent, {result.set_aside} set aside, {result.left} left")
    return DONE
