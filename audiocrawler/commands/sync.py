"""``scrapy sync``: copy a local collection to the cloud, or to another folder and file."""

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
from audiocrawler.commands.usage import use_plain_errors
from audiocrawler.crawl.exit_codes import DONE, LEFT_BEHIND
from audiocrawler.crawl.places import store_path, store_type, warehouse_options, warehouse_path
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.report.messages import say
from audiocrawler.report.summary import bytes_text
from audiocrawler.warehouse import warehouse_class


class Command(CollectionCommand, ScrapyCommand):
    """Copy AUDIO_STORE and AUDIO_WAREHOUSE to another store and warehouse; run it again if it was stopped.

    Exit codes: 0 all copied, 2 configuration, 4 something is left, 130 interrupted.
    """

    def short_desc(self) -> str:
        """Return the line for the list of commands."""
        return "Copy the collected objects and rows to another store and warehouse"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the two targets."""
        super().add_options(parser)
        use_plain_errors(parser)
        parser.add_argument("--to-store", metavar="URI", help="gs://bucket/prefix or a folder; without it, only rows")
        parser.add_argument(
            "--to-warehouse",
            metavar="URI",
            help="bigquery://project/dataset/audio_metadata or sqlite:FILE; without it, only objects",
        )

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Open source and target; then copy, check the target, and print one line."""
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
        raise ConfigurationError("no target: give --to-store gs://bucket, --to-warehouse or both")
    require_present(warehouse_path(settings), settings["AUDIO_WAREHOUSE"], "AUDIO_WAREHOUSE")
    if opts.to_store:
        _check_folder(settings["AUDIO_STORE"], store_path(settings))
        return
    target = warehouse_class(opts.to_warehouse, warehouse_options(settings), "--to-warehouse")
    if store_type(settings).is_local and not target.is_local:
        say("rows point to local files and will not resolve elsewhere; add --to-store", sys.stderr)


def _check_folder(uri: str, folder: Path | None) -> None:
    if folder is None:
        raise ConfigurationError(
            f"AUDIO_STORE {uri}: not a local folder, and objects are copied from local folders only; "
            "leave out --to-store to copy rows only"
        )
    require_present(folder, uri, "AUDIO_STORE")


def _run(sync: Sync) -> int:
    result = sync.run()
    for problem in (result.bad_objects, result.bad_rows):
        if problem.number:
            say(problem.text(), sys.stderr)
    say(_summary(result))
    return LEFT_BEHIND if result.objects_left or result.rows_left else DONE


def _summary(result: SyncResult) -> str:
    left = f"{result.objects_left} left" + (f", {result.removed} taken down" if result.removed else "")
    return (
        f"{result.objects} objects: {result.uploaded} uploaded ({bytes_text(result.uploaded_bytes)}), "
        f"{left}; {result.rows} rows: {result.rows - result.rows_left} there, {result.rows_left} left"
    )
