"""``scrapy verify``: checks the rows against the objects, in either place."""

import argparse
import shlex
import sys
from contextlib import ExitStack, closing

from scrapy.commands import ScrapyCommand
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from audiocrawler.collection import Verified, require_present, verify
from audiocrawler.commands.crawl import Command as CrawlCommand
from audiocrawler.commands.crawl import refuse
from audiocrawler.commands.streams import outlive_readers
from audiocrawler.commands.usage import program, refuse_options, speak_plainly
from audiocrawler.crawl.crawl import gcp_access, warehouse_options
from audiocrawler.crawl.exit_codes import DONE, INTERRUPTED, LEFT_BEHIND
from audiocrawler.model.errors import AudioCrawlerError, ConfigurationError
from audiocrawler.model.marks import MARK
from audiocrawler.report.summary import bytes_text
from audiocrawler.spiders.verify import ASKED, CHANGED, DIFFERENT, SAME, UNKNOWN, VerifySpider
from audiocrawler.storage import Store, open_store
from audiocrawler.warehouse import Warehouse, open_warehouse


class Command(CrawlCommand):
    """Say where rows, objects and servers disagree.

    Exit codes: 0 nowhere, 2 configuration, 4 somewhere, 5 another such is running, 130 interrupted.
    """

    requires_crawler_process = False

    def syntax(self) -> str:
        """Return what follows the name of the command."""
        return "[options]"

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Check the rows of the warehouse against the objects of the store, and against the servers"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the two places and how closely to look."""
        ScrapyCommand.add_options(self, parser)
        speak_plainly(parser)
        parser.add_argument("--store", metavar="URI", help="other than AUDIO_STORE")
        parser.add_argument("--warehouse", metavar="URI", help="other than AUDIO_WAREHOUSE")
        parser.add_argument(
            "--hash", action="store_true", help="read every object again, and ask servers for size and digest"
        )
        parser.add_argument("--offline", action="store_true", help="with --hash: ask no server")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Put the two places in the place of the settings."""
        outlive_readers()
        ScrapyCommand.process_options(self, args, opts)
        refuse_options(args, ["--store", "--warehouse", "--hash", "--offline"])
        if args:
            raise UsageError("takes options only, such as --hash")
        assert self.settings is not None
        for name, given in (("AUDIO_STORE", opts.store), ("AUDIO_WAREHOUSE", opts.warehouse)):
            if given:
                self.settings.set(name, given, priority="cmdline")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Compare, and print what is wrong."""
        assert self.settings is not None
        settings = self.settings
        self.exitcode = self._check(opts) or 0
        if self.exitcode:
            return
        with ExitStack() as opened:
            try:
                store, warehouse = _opened(settings, opened)
            except ConfigurationError as error:
                refuse(error)
            self.exitcode = _verify(store, warehouse, opts)

    def _check(self, opts: argparse.Namespace) -> int | None:
        """Look whether the two places are there, and ask the servers; return an exit code if that cannot be done."""
        assert self.settings is not None
        try:
            require_present(self.settings["AUDIO_STORE"], "store")
            require_present(self.settings["AUDIO_WAREHOUSE"], "warehouse")
        except ConfigurationError as error:
            refuse(error)
        return self._ask_servers() if opts.hash and not opts.offline else None

    def _ask_servers(self) -> int | None:
        """Have the rows marked whose files are not what the servers have."""
        assert self.settings is not None
        self.prepare(lambda _: None)
        self.crawler_process = AsyncCrawlerProcess(self.settings)
        crawler = self.launch(VerifySpider.name, {})
        if (code := self.failure_to_start(crawler)) is not None:
            return code
        number = {name: crawler.stats.get_value(name, 0) for name in (ASKED, SAME, CHANGED, DIFFERENT, UNKNOWN)}
        print(
            f"servers: asked about {number[ASKED]} files, {number[SAME]} are the same, {number[CHANGED]} have changed "
            f"there since, {number[DIFFERENT]} differ, of {number[UNKNOWN]} they tell nothing"
        )
        if crawler.stats.get_value("finish_reason") in {None, "shutdown"}:
            print("interrupted; the same command goes on", file=sys.stderr)
            return INTERRUPTED
        return None


def _opened(settings: BaseSettings, opened: ExitStack) -> tuple[Store, Warehouse]:
    store = opened.enter_context(closing(open_store(settings["AUDIO_STORE"], gcp_access(settings))))
    warehouse = open_warehouse(settings["AUDIO_WAREHOUSE"], warehouse_options(settings))
    return store, opened.enter_context(closing(warehouse))


def _verify(store: Store, warehouse: Warehouse, opts: argparse.Namespace) -> int:
    if waiting := warehouse.pending_rows():
        print(f"{waiting} rows wait to be sent and are not looked at; `scrapy flush` sends them", file=sys.stderr)
    try:
        verified = verify(store, warehouse, read_bytes=opts.hash)
    except KeyboardInterrupt:
        return INTERRUPTED
    except AudioCrawlerError as error:
        print(f"{program()}: error: {error}", file=sys.stderr)
        return LEFT_BEHIND
    for problem in verified.problems:
        print(problem.text())
    if verified.moved:
        print(_moved_note(verified))
    if verified.to_mend:
        print(f"to mend: {_retry_command(opts)}; the next crawl of their pages fetches them again, too")
    print(_summary(verified))
    return LEFT_BEHIND if verified.problems else DONE


def _retry_command(opts: argparse.Namespace) -> str:
    places = (("AUDIO_STORE", opts.store), ("AUDIO_WAREHOUSE", opts.warehouse))
    given = [word for name, uri in places if uri for word in ("-s", f"{name}={uri}")]
    return shlex.join(["scrapy", "retry", "--reason", MARK.strip(), *given])


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
