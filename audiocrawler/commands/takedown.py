"""``scrapy takedown``: delete objects and rows, and block them from then on."""

import argparse
import re
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection import require_present
from audiocrawler.collection.sending import upload_pending
from audiocrawler.collection.takedown import Plan, Target, carry_out, plan
from audiocrawler.commands.collection import CollectionCommand, opened_store, opened_warehouse
from audiocrawler.commands.usage import use_plain_errors
from audiocrawler.crawl.exit_codes import DONE, NOTHING
from audiocrawler.crawl.in_use import lock_for_takedown
from audiocrawler.crawl.places import store_path, warehouse_options, warehouse_path
from audiocrawler.model.addresses import plain_host
from audiocrawler.model.errors import ConfigurationError, StoreError
from audiocrawler.model.urls import one_spelling
from audiocrawler.report.messages import print_error, say
from audiocrawler.storage import Store
from audiocrawler.warehouse import Warehouse, count_pending


class Command(CollectionCommand, ScrapyCommand):
    """Delete the objects and rows of an audio URL, a host or a content, and block them; run it again if it was stopped.

    Exit codes: 0 done, or without --yes shown; 2 configuration; 3 nothing matched; 4 something is left; 5 a crawl is
    running; 130 interrupted.
    """

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Delete audio from store and tables, and never download it again"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options that select what is deleted."""
        super().add_options(parser)
        use_plain_errors(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--source", metavar="URL", help="an audio URL, in full or masked")
        what.add_argument("--host", metavar="HOST", help="all audio of a host, now and in future")
        what.add_argument("--sha256", metavar="HEX", help="a content, whatever its URL, now and in future")
        parser.add_argument("--yes", action="store_true", help="do it; without --yes, only print what would be done")

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Lock out crawls of this machine and open the collection; then take down, printing a line for each step."""
        target = _target(opts)
        require_present(store_path(settings), settings["AUDIO_STORE"], "AUDIO_STORE")
        require_present(warehouse_path(settings), settings["AUDIO_WAREHOUSE"], "AUDIO_WAREHOUSE")
        opened.enter_context(closing(lock_for_takedown(settings)))
        store, warehouse = opened_store(settings, opened), opened_warehouse(settings, opened)
        batch_rows = warehouse_options(settings).batch_rows if opts.yes else None
        return partial(_take_down, target, store, warehouse, batch_rows)


def _target(opts: argparse.Namespace) -> Target:
    if opts.source is not None:
        if not re.match(r"https?://[^/]", one_spelling(opts.source)):
            raise ConfigurationError(f"--source {opts.source}: invalid URL; write https://example.org/file.mp3")
        return Target(source=opts.source)
    if opts.host is not None:
        host = plain_host(opts.host.strip())
        if not re.fullmatch(r"[\w.-]+|[0-9a-f]*:[0-9a-f:.]+", host) or re.fullmatch(r".*[^:]:\d+", opts.host):
            raise ConfigurationError(f"--host {opts.host}: invalid host; write example.org, without scheme and port")
        return Target(host=host)
    if not re.fullmatch(r"[0-9a-fA-F]{64}", opts.sha256):
        raise ConfigurationError(f"--sha256 {opts.sha256}: must be 64 hex digits")
    return Target(sha256=opts.sha256.lower())


def _take_down(target: Target, store: Store, warehouse: Warehouse, batch_rows: int | None) -> int:
    if waiting := count_pending(warehouse):  # they are not in the tables yet
        _send_first(warehouse, waiting, is_dry=batch_rows is None)
    found = plan(target, store, warehouse)
    if found.elsewhere:
        raise StoreError(f"{found.elsewhere[0]}: not in AUDIO_STORE; set AUDIO_STORE to its store")
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
        say(f"{waiting} rows are still in the outbox and were not checked", sys.stderr)
        return
    for line in upload_pending(warehouse):
        say(line)


def _tell(target: Target, found: Plan) -> None:
    for file in found.files:
        say(f"would remove object {file.gcp_url} and row {file.file_name}")
    for url in found.texts:
        say(f"would remove object {url}")
    for row in found.sources:
        say(f"would take down {row.source_url}")
    _tell_kept(found)
    say(f"would block {target.mark} from being downloaded again")
    say("nothing was changed; add --yes to do it")


def _do(target: Target, found: Plan, store: Store, warehouse: Warehouse, batch_rows: int) -> None:
    for line in carry_out(target, found, store, warehouse, batch_rows):
        say(line)
        sys.stdout.flush()
    _tell_kept(found)
    say(f"{len(found.sources)} sources and {len(found.files)} files were taken down")


def _tell_nothing(target: Target, found: Plan, *, is_dry: bool) -> None:
    """Print that nothing matched, and what may have been meant."""
    recorded = "--yes would record it for future crawls" if is_dry else "it is recorded for future crawls"
    print_error(f"nothing matched {target.mark}: no such row in audio_sources; {recorded}")
    for url in found.near:
        say(f"similar: {url}", sys.stderr)
    if not found.near:
        say("see `SELECT source_url FROM audio_sources`, or try --host or --sha256", sys.stderr)


def _tell_kept(found: Plan) -> None:
    for sha256, source_url in found.kept.items():
        say(f"the content {sha256} is kept: {source_url} has it, too; use --sha256 to take it down")
