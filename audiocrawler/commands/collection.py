"""Shared by the commands on a collection: opening it, error messages, Ctrl-C and exit codes."""

import argparse
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack, closing

from scrapy.settings import BaseSettings, Settings

from audiocrawler.collection.ending import exit_code_of
from audiocrawler.commands.usage import refuse_words
from audiocrawler.config.settings import check_settings
from audiocrawler.crawl.places import store_options, warehouse_options
from audiocrawler.report.messages import survive_closed_pipes
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
        settings = self.settings
        assert settings is not None

        def prepare(opened: ExitStack) -> Callable[[], int]:
            check_settings(settings)
            return self.prepared(settings, opts, opened)

        self.exitcode = exit_code_of(prepare)


def opened_store(settings: BaseSettings, opened: ExitStack, uri: str = "", named_by: str = "AUDIO_STORE") -> Store:
    """Open AUDIO_STORE, or the store at ``uri`` given by an option. Raises ConfigurationError."""
    return opened.enter_context(closing(open_store(uri or settings[named_by], store_options(settings), named_by)))


def opened_warehouse(
    settings: BaseSettings, opened: ExitStack, uri: str = "", named_by: str = "AUDIO_WAREHOUSE"
) -> Warehouse:
    """Open AUDIO_WAREHOUSE, or the warehouse at ``uri`` given by an option. Raises ConfigurationError."""
    options = warehouse_options(settings)
    return opened.enter_context(closing(open_warehouse(uri or settings[named_by], options, named_by)))
