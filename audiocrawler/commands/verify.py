"""``scrapy verify``: check the rows against the objects, and against the servers."""

import argparse
import shlex
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import Any

from scrapy.commands import ScrapyCommand
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from audiocrawler.collection import Verified, require_present, verify
from audiocrawler.commands.as_json import add_json_option
from audiocrawler.commands.collection import CollectionCommand, opened_store, opened_warehouse
from audiocrawler.commands.crawl import Command as CrawlCommand
from audiocrawler.commands.usage import refuse_options, use_plain_errors
from audiocrawler.crawl.exit_codes import DONE, LEFT_BEHIND
from audiocrawler.crawl.places import store_path, warehouse_path
from audiocrawler.model.marks import MARK
from audiocrawler.report.messages import say, say_json
from audiocrawler.report.summary import bytes_text
from audiocrawler.spiders.verify import ASKED, CHANGED, DIFFERENT, SAME, UNKNOWN, VerifySpider
from audiocrawler.storage import Store
from audiocrawler.warehouse import Warehouse, count_pending


class Command(CollectionCommand, CrawlCommand):
    """Report where rows, objects and servers disagree.

    Exit codes: 0 no problems, 2 configuration, 4 problems, 5 another verify is running, 130 interrupted.
    """

    _servers: dict[str, int] | None = None
    """How many files the servers were asked about, and what they said."""

    def syntax(self) -> str:
        """Return the usage after the command's name."""
        return "[options]"

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Check the rows of the warehouse against the objects of the store, and against the servers"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options for store, warehouse and thoroughness."""
        ScrapyCommand.add_options(self, parser)
        use_plain_errors(parser)
        parser.add_argument("--store", metavar="URI", help="instead of AUDIO_STORE")
        parser.add_argument("--warehouse", metavar="URI", help="instead of AUDIO_WAREHOUSE")
        parser.add_argument(
            "--hash", action="store_true", help="read and hash every object, and ask the servers for size and digest"
        )
        parser.add_argument("--offline", action="store_true", help="with --hash: do not ask the servers")
        add_json_option(parser)

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Override the settings with --store and --warehouse."""
        ScrapyCommand.process_options(self, args, opts)
        refuse_options(args, ["--store", "--warehouse", "--hash", "--offline", "--json"])
        if args:
            raise UsageError("takes options only, such as --hash")
        assert self.settings is not None
        for name, given in (("AUDIO_STORE", opts.store), ("AUDIO_WAREHOUSE", opts.warehouse)):
            if given:
                self.settings.set(name, given, priority="cmdline")

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Check that both exist, ask the servers, open them; then compare, and print the problems."""
        require_present(store_path(settings), settings["AUDIO_STORE"], "store")
        require_present(warehouse_path(settings), settings["AUDIO_WAREHOUSE"], "warehouse")
        code = self._ask_servers(is_json=opts.json) if opts.hash and not opts.offline else None
        if code is not None:
            return lambda: code
        store, warehouse = opened_store(settings, opened), opened_warehouse(settings, opened)
        return partial(_verify, store, warehouse, opts, self._servers)

    def _ask_servers(self, *, is_json: bool) -> int | None:
        """Mark the rows whose files differ from the servers'; return an exit code if that could not run."""
        assert self.settings is not None
        self.prepare(lambda _: None, {})
        self.crawler_process = AsyncCrawlerProcess(self.settings)
        crawler = self.launch(VerifySpider.name, {})
        if (code := self.failure_to_start(crawler)) is not None:
            return code
        self._servers = {
            name.partition("/")[2]: crawler.stats.get_value(name, 0)
            for name in (ASKED, SAME, CHANGED, DIFFERENT, UNKNOWN)
        }
        if not is_json:
            say(_servers_note(self._servers))
        if crawler.stats.get_value("finish_reason") in {None, "shutdown"}:
            raise KeyboardInterrupt
        return None


def _verify(store: Store, warehouse: Warehouse, opts: argparse.Namespace, servers: dict[str, int] | None) -> int:
    if waiting := count_pending(warehouse):
        say(f"{waiting} rows are still in the outbox and were not checked; `scrapy flush` uploads them", sys.stderr)
    verified = verify(store, warehouse, read_bytes=opts.hash)
    if opts.json:
        say_json(_result(verified, _retry_command(opts)) | {"rows_waiting": waiting, "servers": servers})
    else:
        _say_lines(verified, opts)
    return LEFT_BEHIND if verified.problems else DONE


def _say_lines(verified: Verified, opts: argparse.Namespace) -> None:
    for problem in verified.problems:
        say(problem.text())
    if verified.moved:
        say(_moved_note(verified))
    if verified.to_mend:
        say(f"to repair: `{_retry_command(opts)}`; the next crawl of their pages downloads them again, too")
    say(_summary(verified))


def _result(verified: Verified, retry_command: str) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    result = asdict(verified) | {"mend_with": retry_command if verified.to_mend else None}
    result["problems"] = [
        {"name": problem.name, "number": problem.number, "examples": problem.lines} for problem in verified.problems
    ]
    return result


def _servers_note(number: dict[str, int]) -> str:
    return (
        f"servers: {number['asked']} files checked, {number['same']} are the same, {number['changed']} have changed "
        f"there since, {number['different']} differ, {number['unknown']} unknown"
    )


def _retry_command(opts: argparse.Namespace) -> str:
    places = (("AUDIO_STORE", opts.store), ("AUDIO_WAREHOUSE", opts.warehouse))
    given = [word for name, uri in places if uri for word in ("-s", f"{name}={uri}")]
    return shlex.join(["scrapy", "retry", "--reason", MARK.strip(), *given])


def _moved_note(verified: Verified) -> str:
    return (
        f"the store has moved: {verified.moved} files are here under their hash, but their rows have another URL, "
        f"such as {verified.moved_from}; a crawl that finds them again updates their rows, "
        "`scrapy sync --to-warehouse` with the same warehouse updates all rows"
    )


def _summary(verified: Verified) -> str:
    number = sum(problem.number for problem in verified.problems)
    return (
        f"{verified.audio_rows} files and {verified.source_rows} sources in the tables, {verified.objects} objects "
        f"({bytes_text(verified.object_bytes)}) in the store: {number or 'no'} problem{'s' * (number != 1)}"
    )
