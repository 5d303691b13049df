"""``scrapy takedown``: removes what must not be kept, and keeps it from coming back."""

import argparse
import re
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection import require_present
from audiocrawler.collection.sending import send_waiting
from audiocrawler.collection.takedown import Plan, Target, carry_out, plan
from audiocrawler.commands.collection import CollectionCommand, opened_store, opened_warehouse
from audiocrawler.commands.streams import complain, say
from audiocrawler.commands.usage import speak_plainly
from audiocrawler.crawl.exit_codes import DONE, NOTHING
from audiocrawler.crawl.in_use import keep_crawls_out
from audiocrawler.crawl.places import store_path, warehouse_options, warehouse_path
from audiocrawler.model.addresses import plain_host
from audiocrawler.model.errors import ConfigurationError, StoreError
from audiocrawler.model.urls import one_spelling
from audiocrawler.storage import Store
from audiocrawler.warehouse import Warehouse, count_pending


class Command(CollectionCommand, ScrapyCommand):
    """Remove object and row of an audio URL, a host or a content, for good; run it again after whatever stopped it.

    Exit codes: 0 done, or told what would be done; 2 configuration; 3 nothing matched; 4 something is left; 5 a crawl
    is running; 130 interrupted.
    """

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

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Open the collection, which no crawl of this machine uses; then take down, a line for each thing done."""
        target = _target(opts)
        require_present(store_path(settings), settings["AUDIO_STORE"], "AUDIO_STORE")
        require_present(warehouse_path(settings), settings["AUDIO_WAREHOUSE"], "AUDIO_WAREHOUSE")
        opened.enter_context(closing(keep_crawls_out(settings)))
        store, warehouse = opened_store(settings, opened), opened_warehouse(settings, opened)
        batch_rows = warehouse_options(settings).batch_rows if opts.yes else None
        return partial(_take_down, target, store, warehouse, batch_rows)


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


def _take_down(target: Target, store: Store, warehouse: Warehouse, batch_rows: int | None) -> int:
    if waiting := count_pending(warehouse):  # what they speak of is not in the tables yet
        _send_first(warehouse, waiting, is_dry=batch_rows is None)
    found = plan(target, store, warehouse)
    if found.elsewhere:
        raise StoreError(f"{found.elsewhere[0]}: is not in AUDIO_STORE; give its store")
    if batch_rows is None:
        _tell(target, found)
    else:
        _do(target, found, store, warehouse, batch_rows)
    if found.is_empty:
        _tell_nothing(target, found, is_dry=batch_rows is None)
        return NOTHING
    return DONE


def _send_first(warehouse: Warehouse, waiting: int, *, is_dry: bool) -> None:
    if is_dry:
        say(f"{waiting} rows wait to be sent and are not looked at", sys.stderr)
        return
    for line in send_waiting(warehouse):
        say(line)


def _tell(target: Target, found: Plan) -> None:
    for file in found.files:
        say(f"would remove object {file.gcp_url} and row {file.file_name}")
    for row in found.sources:
        say(f"would take down {row.source_url}")
    _tell_kept(found)
    say(f"would see to it that {target.mark} is never fetched again")
    say("nothing was changed; --yes does it")


def _do(target: Target, found: Plan, store: Store, warehouse: Warehouse, batch_rows: int) -> None:
    for line in carry_out(target, found, store, warehouse, batch_rows):
        say(line)
        sys.stdout.flush()
    _tell_kept(found)
    say(f"{len(found.sources)} sources and {len(found.files)} files were taken down")


def _tell_nothing(target: Target, found: Plan, *, is_dry: bool) -> None:
    """Say that nothing matched, and what may have been meant."""
    recorded = "--yes would record it for future crawls" if is_dry else "it is recorded for future crawls"
    complain(f"nothing matched {target.mark}: no such row in audio_sources; {recorded}")
    for url in found.near:
        say(f"there is {url}", sys.stderr)
    if not found.near:
        say("see `SELECT source_url FROM audio_sources`, or try --host or --sha256", sys.stderr)


def _tell_kept(found: Plan) -> None:
    for sha256, source_url in found.kept.items():
        say(f"the content {sha256} stays: {source_url} has it, too; --sha256 takes it down")
