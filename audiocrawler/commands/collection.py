"""Shared by the commands on a collection: opening it, error messages, Ctrl-C and exit codes."""

import argparse
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack, closing

from scrapy.settings import BaseSettings, Settings

from audiocrawler.commands.streams import print_error, say, survive_closed_pipes
from audiocrawler.commands.usage import refuse_words
from audiocrawler.config.settings import check_settings
from audiocrawler.crawl.exit_codes import INTERRUPTED, LEFT_BEHIND, LOCKED, USAGE
from audiocrawler.crawl.places import store_options, warehouse_options
from audiocrawler.model.errors import AudioCrawlerError, ConfigurationError, LockedError
from audiocrawler.storage import Store, open_store
from audiocrawler.warehouse import Warehouse, open_warehouse


class CollectionCommand(ABC):
    """Runs what ``prepared`` returns, and exits with its exit code; a mixin for a ScrapyCommand.

    It is not a ScrapyCommand, because Scrapy lists every one in this package as a command.
    """

    requires_project = True
    requires_crawler_process = False
    settings: Settings | None
    exitcode: int

    @abstractmethod
    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Check the options, open what is needed, and return the work, which returns the exit code.

        Everything in ``opened`` is closed afterwards. Raises ConfigurationError.
        """

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do the work; an error ends it with one line."""
        survive_closed_pipes()
        refuse_words(args)
        assert self.settings is not None
        try:
            with ExitStack() as opened:
                self.exitcode = self._exit_code(self.settings, opts, opened)
        except KeyboardInterrupt:
            say("interrupted; run the same command to resume", sys.stderr)
            self.exitcode = INTERRUPTED
        except AudioCrawlerError as error:
            print_error(error)
            self.exitcode = LEFT_BEHIND

    def _exit_code(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> int:
        try:
            check_settings(settings)
            work = self.prepared(settings, opts, opened)
        except ConfigurationError as error:
            print_error(error)
            return LOCKED if isinstance(error, LockedError) else USAGE
        return work()


def opened_store(settings: BaseSettings, opened: ExitStack, uri: str = "", named_by: str = "AUDIO_STORE") -> Store:
    """Open AUDIO_STORE, or the store at ``uri`` given by an option. Raises ConfigurationError."""
    return opened.enter_context(closing(open_store(uri or settings[named_by], store_options(settings), named_by)))


def opened_warehouse(
    settings: BaseSettings, opened: ExitStack, uri: str = "", named_by: str = "AUDIO_WAREHOUSE"
) -> Warehouse:
    """Open AUDIO_WAREHOUSE, or the warehouse at ``uri`` given by an option. Raises ConfigurationError."""
    options = warehouse_options(settings)
    return opened.enter_context(closing(open_warehouse(uri or settings[named_by], options, named_by)))
