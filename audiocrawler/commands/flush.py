"""``scrapy flush``: upload the rows that a crawl has left in the outbox."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection.sending import upload_pending
from audiocrawler.commands.collection import CollectionCommand, opened_warehouse
from audiocrawler.commands.usage import use_plain_errors
from audiocrawler.crawl.exit_codes import DONE
from audiocrawler.report.messages import say


class Command(CollectionCommand, ScrapyCommand):
    """Upload pending rows from AUDIO_OUTBOX to AUDIO_WAREHOUSE.

    Exit codes: 0 all uploaded, 2 configuration, 4 rows are left, 130 interrupted.
    """

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Upload the rows pending in the outbox to the warehouse"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add no options of its own."""
        super().add_options(parser)
        use_plain_errors(parser)

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Open the warehouse; then upload batch by batch, printing a line for each."""
        del opts
        warehouse = opened_warehouse(settings, opened)

        def flush() -> int:
            for line in upload_pending(warehouse):
                say(line)
            return DONE

        return flush
