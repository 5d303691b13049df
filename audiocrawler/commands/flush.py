"""``scrapy flush``: sends the rows that a crawl has left in the outbox."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection.sending import send_waiting
from audiocrawler.commands.collection import CollectionCommand, opened_warehouse
from audiocrawler.commands.streams import say
from audiocrawler.commands.usage import speak_plainly
from audiocrawler.crawl.exit_codes import DONE


class Command(CollectionCommand, ScrapyCommand):
    """Send what waits in AUDIO_OUTBOX to AUDIO_WAREHOUSE.

    Exit codes: 0 all sent, 2 configuration, 4 rows are left, 130 interrupted.
    """

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Send the rows that wait in the outbox to the warehouse"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add none of its own."""
        super().add_options(parser)
        speak_plainly(parser)

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Open the warehouse; then flush batch by batch, a line each."""
        del opts
        warehouse = opened_warehouse(settings, opened)

        def flush() -> int:
            for line in send_waiting(warehouse):
                say(line)
            return DONE

        return flush
