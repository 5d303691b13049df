"""``scrapy verify``: checks the rows against the objects, in either place."""

import argparse
import sys
from contextlib import ExitStack, closing

from scrapy.commands import ScrapyCommand

from audiocrawler.collection import Verified, require_present, verify
from audiocrawler.commands.streams import outlive_readers
from audiocrawler.crawl.crawl import gcp_access, warehouse_options
from audiocrawler.crawl.exit_codes import DONE, INTERRUPTED, LEFT_BEHIND, USAGE
from audiocrawler.errors import AudioCrawlerError, ConfigurationError
from audiocrawler.report.quantities import bytes_text
from audiocrawler.storage import Store, open_store
from audiocrawler.warehouse import Warehouse, open_warehouse


class Command(ScrapyCommand):
    """Say where rows and objects disagree. Exit codes: 0 nowhere, 2 configuration, 4 somewhere, 130 interrupted."""

    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Check the rows of the warehouse against the objects of the store"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the two places and how closely to look."""
        super().add_options(parser)
        parser.add_argument("--store", metavar="URI", help="other than AUDIO_STORE")
        parser.add_argument("--warehouse", metavar="URI", help="other than AUDIO_WAREHOUSE")
        parser.add_argument("--hash", action="store_true", help="read every object again and work out its hash")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Compare, and print what is wrong."""
        outlive_readers()
        with ExitStack() as opened:
            try:
                store, warehouse = self._opened(opts, opened)
            except ConfigurationError as error:
                print(f"scrapy: error: {error}", file=sys.stderr)
                self.exitcode = USAGE
                return
            self.exitcode = _verify(store, warehouse, read_bytes=opts.hash)

    def _opened(self, opts: argparse.Namespace, opened: ExitStack) -> tuple[Store, Warehouse]:
        assert self.settings is not None
        store_uri = opts.store or self.settings["AUDIO_STORE"]
        warehouse_uri = opts.warehouse or self.settings["AUDIO_WAREHOUSE"]
        require_present(store_uri, "store")
        require_present(warehouse_uri, "warehouse")
        store = opened.enter_context(closing(open_store(store_uri, gcp_access(self.settings))))
        warehouse = open_warehouse(warehouse_uri, warehouse_options(self.settings))
        return store, opened.enter_context(closing(warehouse))


def _verify(store: Store, warehouse: Warehouse, *, read_bytes: bool) -> int:
    if waiting := warehouse.pending_rows():
        print(f"{waiting} rows wait to be sent and are not looked at; `scrapy flush` sends them", file=sys.stderr)
    try:
        verified = verify(store, warehouse, read_bytes=read_bytes)
    except KeyboardInterrupt:
        return INTERRUPTED
    except AudioCrawlerError as error:
        print(f"scrapy: error: {error}", file=sys.stderr)
        return LEFT_BEHIND
    for problem in verified.problems:
        print(problem.text())
    if verified.moved:
        print(_moved_note(verified))
    print(_summary(verified))
    return LEFT_BEHIND if verified.problems else DONE


def _moved_note(verified: Verified) -> str:
    return (
        f"the store has moved: {verified.moved} files are here under their hash, and their rows name another place, "
        f"such as {verified.moved_from}; a crawl that meets them updates the rows, `scrapy sync --to-warehouse` with "
        "the same warehouse all of them"
    )


def _summary(verified: Verified) -> str:
    number = sum(problem.number for problem in verified.problems)
    return (
        f"{verified.audio_rows} files and {verified.source_rows} sources in the tables, {verified.objects} objects "
        f"({bytes_text(verified.object_bytes)}) in the store: {number or 'no'} problem{'s' * (number != 1)}"
    )
