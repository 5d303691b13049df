"""``scrapy takedown``: removes what must not be kept, and keeps it from coming back."""

import argparse
import re
import sys
from contextlib import ExitStack, closing

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection import require_present
from audiocrawler.collection.takedown import Plan, Target, carry_out, plan
from audiocrawler.commands.flush import flush_all
from audiocrawler.commands.streams import outlive_readers
from audiocrawler.commands.usage import program, refuse_words, speak_plainly
from audiocrawler.config.settings import check_settings
from audiocrawler.crawl.crawl import warehouse_options
from audiocrawler.crawl.exit_codes import DONE, INTERRUPTED, LEFT_BEHIND, LOCKED, NOTHING, USAGE
from audiocrawler.crawl.in_use import keep_crawls_out
from audiocrawler.model.addresses import plain_host
from audiocrawler.model.errors import AudioCrawlerError, ConfigurationError, LockedError
from audiocrawler.model.urls import one_spelling
from audiocrawler.storage import Store, open_store
from audiocrawler.warehouse import Warehouse, open_warehouse


class Command(ScrapyCommand):
    """Remove object and row of an audio URL, a host or a content, for good; run it again after whatever stopped it.

    Exit codes: 0 done, or told what would be done; 2 configuration; 3 nothing matched; 4 something is left; 5 a crawl
    is running; 130 interrupted.
    """

    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Remove what must not be kept, and never fetch it again"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add what shall go."""
        super().add_options(parser)
        speak_plainly(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--source", metavar="URL", help="an audio URL, as it is or masked")
        what.add_argument("--host", metavar="HOST", help="all audio of a host, and all that it will ever have")
        what.add_argument("--sha256", metavar="HEX", help="a content, from wherever it came or will come")
        parser.add_argument("--yes", action="store_true", help="do it; without this, only tell what would be done")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Take down, a line for each thing that is done."""
        outlive_readers()
        refuse_words(args)
        assert self.settings is not None
        with ExitStack() as opened:
            try:
                target = _target(opts)
                store, warehouse = _opened(self.settings, opened)
            except ConfigurationError as error:
                print(f"{program()}: error: {error}", file=sys.stderr)
                self.exitcode = LOCKED if isinstance(error, LockedError) else USAGE
                return
            batch_rows = warehouse_options(self.settings).batch_rows
            self.exitcode = _take_down(target, store, warehouse, batch_rows if opts.yes else None)


def _target(opts: argparse.Namespace) -> Target:
    if opts.source is not None:
        if not re.match(r"https?://[^/]", one_spelling(opts.source)):
            raise ConfigurationError(f"--source {opts.source}: is no URL; write https://example.org/file.mp3")
        return Target(source=opts.source)
    if opts.host is not None:
        host = plain_host(opts.host.strip())
        if not re.fullmatch(r"[\w.-]+|[0-9a-f]*:[0-9a-f:.]+", host) or re.fullmatch(r".*[^:]:\d+", opts.host):
            raise ConfigurationError(f"--host {opts.host}: is no host; write example.org, without scheme and port")
        return Target(host=host)
    if not re.fullmatch(r"[0-9a-fA-F]{64}", opts.sha256):
        raise ConfigurationError(f"--sha256 {opts.sha256}: is not 64 hex digits")
    return Target(sha256=opts.sha256.lower())


def _opened(settings: BaseSettings, opened: ExitStack) -> tuple[Store, Warehouse]:
    """Return the collection, which no crawl of this machine uses; raises ConfigurationError."""
    check_settings(settings)
    require_present(settings["AUDIO_STORE"], "AUDIO_STORE")
    require_present(settings["AUDIO_WAREHOUSE"], "AUDIO_WAREHOUSE")
    opened.enter_context(closing(keep_crawls_out(settings)))
    options = warehouse_options(settings)
    store = opened.enter_context(closing(open_store(settings["AUDIO_STORE"], options.gcp)))
    return store, opened.enter_context(closing(open_warehouse(settings["AUDIO_WAREHOUSE"], options)))


def _take_down(target: Target, store: Store, warehouse: Warehouse, batch_rows: int | None) -> int:
    try:
        if warehouse.pending_rows() and (code := _send_first(warehouse, is_dry=batch_rows is None)) != DONE:
            return code
        found = plan(target, store, warehouse)
        if found.elsewhere:
            print(f"{program()}: error: {found.elsewhere[0]}: is not in AUDIO_STORE; give its store", file=sys.stderr)
            return LEFT_BEHIND
        if batch_rows is None:
            _tell(target, found)
        else:
            _do(target, found, store, warehouse, batch_rows)
        if found.is_empty:
            _tell_nothing(target, found, is_dry=batch_rows is None)
            return NOTHING
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        return INTERRUPTED
    except AudioCrawlerError as error:
        print(f"{program()}: error: {error}", file=sys.stderr)
        return LEFT_BEHIND
    return DONE


def _send_first(warehouse: Warehouse, *, is_dry: bool) -> int:
    """Send the rows that wait, for what they speak of is not in the tables yet."""
    if not is_dry:
        return flush_all(warehouse)
    print(f"{warehouse.pending_rows()} rows wait to be sent and are not looked at", file=sys.stderr)
    return DONE


def _tell(target: Target, found: Plan) -> None:
    for file in found.files:
        print(f"would remove object {file.gcp_url} and row {file.file_name}")
    for row in found.sources:
        print(f"would take down {row.source_url}")
    _tell_kept(found)
    print(f"would see to it that {target.mark} is never fetched again")
    print("nothing was changed; --yes does it")


def _do(target: Target, found: Plan, store: Store, warehouse: Warehouse, batch_rows: int) -> None:
    for line in carry_out(target, found, store, warehouse, batch_rows):
        print(line, flush=True)
    _tell_kept(found)
    print(f"{len(found.sources)} sources and {len(found.files)} files were taken down")


def _tell_nothing(target: Target, found: Plan, *, is_dry: bool) -> None:
    """Say that nothing matched, and what may have been meant."""
    recorded = "--yes would record it for future crawls" if is_dry else "it is recorded for future crawls"
    print(
        f"{program()}: error: nothing matched {target.mark}: no such row in audio_sources; {recorded}", file=sys.stderr
    )
    for url in found.near:
        print(f"there is {url}", file=sys.stderr)
    if not found.near:
        print("see `SELECT source_url FROM audio_sources`, or try --host or --sha256", file=sys.stderr)


def _tell_kept(found: Plan) -> None:
    for sha256, source_url in found.kept.items():
        print(f"the content {sha256} stays: {source_url} has it, too; --sha256 takes it down")
