"""``scrapy sync``: sends a local collection to the cloud, or to another folder and file."""

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection import Sync, SyncResult, require_present
from audiocrawler.commands.collection import CollectionCommand, opened_store, opened_warehouse
from audiocrawler.commands.streams import say
from audiocrawler.commands.usage import speak_plainly
from audiocrawler.crawl.exit_codes import DONE, LEFT_BEHIND
from audiocrawler.crawl.places import store_path, store_type, warehouse_options, warehouse_path
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.report.summary import bytes_text
from audiocrawler.warehouse import warehouse_class


class Command(CollectionCommand, ScrapyCommand):
    """Send what AUDIO_STORE and AUDIO_WAREHOUSE hold to another place; run it again after whatever stopped it.

    Exit codes: 0 all is there, 2 configuration, 4 something is left, 130 interrupted.
    """

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Send the collected objects and rows to another store and warehouse"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the two targets."""
        super().add_options(parser)
        speak_plainly(parser)
        parser.add_argument("--to-store", metavar="URI", help="gs://bucket/prefix or a folder; without it, only rows")
        parser.add_argument(
            "--to-warehouse",
            metavar="URI",
            help="bigquery://project/dataset/audio_metadata or sqlite:FILE; without it, only objects",
        )

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Open both ends; then send, look at what is there now, and say so in one line."""
        _check(settings, opts)
        source = opened_warehouse(settings, opened)
        store = opened_store(settings, opened, opts.to_store, "--to-store") if opts.to_store else None
        warehouse = (
            opened_warehouse(settings, opened, opts.to_warehouse, "--to-warehouse") if opts.to_warehouse else None
        )
        folder = store_path(settings) or Path()
        here = opened_store(settings, opened) if store_path(settings) and folder.exists() else None
        batch_rows = warehouse_options(settings).batch_rows or 1
        return partial(_run, Sync(source, folder, store, warehouse, batch_rows, here=here))


def _check(settings: BaseSettings, opts: argparse.Namespace) -> None:
    if not opts.to_store and not opts.to_warehouse:
        raise ConfigurationError("nowhere to send anything: give --to-store gs://bucket, --to-warehouse or both")
    require_present(warehouse_path(settings), settings["AUDIO_WAREHOUSE"], "AUDIO_WAREHOUSE")
    if opts.to_store:
        _check_folder(settings["AUDIO_STORE"], store_path(settings))
        return
    target = warehouse_class(opts.to_warehouse, warehouse_options(settings), "--to-warehouse")
    if store_type(settings).is_local and not target.is_local:
        say("the rows name files of this machine: elsewhere they mean nothing without --to-store", sys.stderr)


def _check_folder(uri: str, folder: Path | None) -> None:
    if folder is None:
        raise ConfigurationError(
            f"AUDIO_STORE {uri}: is no folder of this machine, and only such are sent; "
            "leave --to-store out to send rows"
        )
    require_present(folder, uri, "AUDIO_STORE")


def _run(sync: Sync) -> int:
    tally = sync.run()
    for problem in (tally.bad_objects, tally.bad_rows):
        if problem.number:
            say(problem.text(), sys.stderr)
    say(_summary(tally))
    return LEFT_BEHIND if tally.objects_left or tally.rows_left else DONE


def _summary(tally: SyncResult) -> str:
    left = f"{tally.objects_left} left" + (f", {tally.removed} taken down" if tally.removed else "")
    return (
        f"{tally.objects} objects: {tally.uploaded} uploaded ({bytes_text(tally.uploaded_bytes)}), "
        f"{left}; {tally.rows} rows: {tally.rows - tally.rows_left} there, {tally.rows_left} left"
    )
