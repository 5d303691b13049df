"""``scrapy sync``: sends a local collection to the cloud, or to another folder and file."""

import argparse
import sys
from contextlib import ExitStack, closing
from pathlib import Path

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection import Sync, Tally, require_present
from audiocrawler.collection.inventory import LOCAL_SCHEMES
from audiocrawler.commands.streams import outlive_readers
from audiocrawler.commands.usage import program, refuse_words, speak_plainly
from audiocrawler.config.settings import check_settings
from audiocrawler.crawl.crawl import warehouse_options
from audiocrawler.crawl.exit_codes import DONE, INTERRUPTED, LEFT_BEHIND, USAGE
from audiocrawler.model.errors import AudioCrawlerError, ConfigurationError
from audiocrawler.model.uris import local_path, scheme_of
from audiocrawler.report.summary import bytes_text
from audiocrawler.storage import open_store
from audiocrawler.warehouse import open_warehouse


class Command(ScrapyCommand):
    """Send what AUDIO_STORE and AUDIO_WAREHOUSE hold to another place; run it again after whatever stopped it.

    Exit codes: 0 all is there, 2 configuration, 4 something is left, 130 interrupted.
    """

    requires_project = True
    requires_crawler_process = False

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

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Send, look at what is there now, and say so in one line."""
        outlive_readers()
        refuse_words(args)
        assert self.settings is not None
        with ExitStack() as opened:
            try:
                sync = _prepared(self.settings, opts, opened)
            except ConfigurationError as error:
                print(f"{program()}: error: {error}", file=sys.stderr)
                self.exitcode = USAGE
                return
            self.exitcode = _run(sync)


def _prepared(settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Sync:
    """Return the sync between places that exist and can be used; raises ConfigurationError."""
    _check(settings, opts)
    options = warehouse_options(settings)
    source = opened.enter_context(closing(open_warehouse(settings["AUDIO_WAREHOUSE"], options)))
    store = warehouse = None
    if opts.to_store:
        store = opened.enter_context(closing(open_store(opts.to_store, options.gcp, "--to-store")))
    if opts.to_warehouse:
        warehouse = opened.enter_context(closing(open_warehouse(opts.to_warehouse, options, "--to-warehouse")))
    is_local = scheme_of(settings["AUDIO_STORE"]) in LOCAL_SCHEMES
    folder = local_path(settings["AUDIO_STORE"]) if is_local else Path()
    here = open_store(settings["AUDIO_STORE"]) if is_local and folder.exists() else None
    return Sync(source, folder, store, warehouse, options.batch_rows or 1, here=here)


def _check(settings: BaseSettings, opts: argparse.Namespace) -> None:
    check_settings(settings)
    if not opts.to_store and not opts.to_warehouse:
        raise ConfigurationError("nowhere to send anything: give --to-store gs://bucket, --to-warehouse or both")
    require_present(settings["AUDIO_WAREHOUSE"], "AUDIO_WAREHOUSE")
    is_local = scheme_of(settings["AUDIO_STORE"]) in LOCAL_SCHEMES
    if opts.to_store:
        if not is_local:
            raise ConfigurationError(
                f"AUDIO_STORE {settings['AUDIO_STORE']}: is no folder of this machine, and only such are sent; "
                "leave --to-store out to send rows"
            )
        require_present(settings["AUDIO_STORE"], "AUDIO_STORE")
    elif is_local and scheme_of(opts.to_warehouse) not in LOCAL_SCHEMES:
        print("the rows name files of this machine: elsewhere they mean nothing without --to-store", file=sys.stderr)


def _run(sync: Sync) -> int:
    try:
        tally = sync.run()
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        return INTERRUPTED
    except AudioCrawlerError as error:
        print(f"{program()}: error: {error}", file=sys.stderr)
        return LEFT_BEHIND
    for problem in (tally.bad_objects, tally.bad_rows):
        if problem.number:
            print(problem.text(), file=sys.stderr)
    print(_summary(tally))
    return LEFT_BEHIND if tally.objects_left or tally.rows_left else DONE


def _summary(tally: Tally) -> str:
    left = f"{tally.objects_left} left" + (f", {tally.removed} taken down" if tally.removed else "")
    return (
        f"{tally.objects} objects: {tally.uploaded} uploaded ({bytes_text(tally.uploaded_bytes)}), "
        f"{left}; {tally.rows} rows: {tally.rows - tally.rows_left} there, {tally.rows_left} left"
    )
