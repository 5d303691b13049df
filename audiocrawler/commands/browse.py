"""``scrapy browse``: pages over the database of a collection, served on this machine."""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection import require_present
from audiocrawler.commands.collection import CollectionCommand, opened_store, opened_warehouse
from audiocrawler.commands.streams import flush_output
from audiocrawler.commands.usage import use_plain_errors
from audiocrawler.crawl.exit_codes import DONE
from audiocrawler.crawl.places import store_path, warehouse_path, warehouse_type
from audiocrawler.export.formats import require
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.report.messages import program, say
from audiocrawler.storage import Store
from audiocrawler.warehouse.sqlite import SqliteWarehouse

PORT = 8001


class Command(CollectionCommand, ScrapyCommand):
    """Serve the collection until Ctrl-C.

    Exit codes: 0 ended by Ctrl-C, 2 configuration.
    """

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Serve pages over the database on this machine: tables, facets, waveforms, a player, SQL"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the port."""
        super().add_options(parser)
        use_plain_errors(parser)
        parser.add_argument("--port", metavar="N", type=_port, default=PORT, help=f"default {PORT}; 0 is a free one")

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Open the store and listen; then serve."""
        uri = settings["AUDIO_WAREHOUSE"]
        path = warehouse_path(settings)
        if path is None or not issubclass(warehouse_type(settings), SqliteWarehouse):
            raise ConfigurationError(
                f"AUDIO_WAREHOUSE {uri}: browse reads SQLite only; `{program()} report` shows this one on a page"
            )
        require_present(path, uri, "AUDIO_WAREHOUSE")
        require("datasette", "browse", "browse")
        with ExitStack() as just_now:
            opened_warehouse(settings, just_now)  # refuses what is no database of ours, and makes its views
        store = _store(settings, opened)

        from audiocrawler.browse.server import bound, serve

        listening = opened.enter_context(bound(opts.port))
        address = f"http://{listening.getsockname()[0]}:{listening.getsockname()[1]}/"
        return partial(_serve, partial(serve, path, store, listening, partial(_tell, address)))


def _store(settings: BaseSettings, opened: ExitStack) -> Store | None:
    """Open the store where there is one: rows can be looked at without."""
    folder = store_path(settings)
    if folder is None or folder.is_dir():
        return opened_store(settings, opened)
    say(f"note: AUDIO_STORE {settings['AUDIO_STORE']}: {folder} not found; no file can be played", sys.stderr)
    return None


def _tell(address: str) -> None:
    say(f"{address}  (Ctrl-C ends it)")
    flush_output()


def _serve(run: Callable[[], None]) -> int:
    run()
    return DONE


def _port(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give 0 to 65535")
    return int(text)
