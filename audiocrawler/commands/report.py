"""``scrapy report``: one page to see, hear and filter a collection, without a server or a network."""

import argparse
import os
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import quote

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection import require_present
from audiocrawler.collection.previews import previews_of
from audiocrawler.collection.reporting import ROWS, Wanted, report_of
from audiocrawler.commands.as_json import add_json_option
from audiocrawler.commands.collection import CollectionCommand, opened_store, opened_warehouse
from audiocrawler.commands.usage import use_plain_errors
from audiocrawler.crawl.exit_codes import DONE, LEFT_BEHIND
from audiocrawler.crawl.places import store_path, warehouse_path, warehouse_type
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.settings import AudioSettings
from audiocrawler.report.messages import print_error, say, say_json
from audiocrawler.report.page import Report, page_of
from audiocrawler.report.summary import bytes_text
from audiocrawler.warehouse import Query, Warehouse

DEFAULT = Path("data/report.html")


class Command(CollectionCommand, ScrapyCommand):
    """Write the report.

    Exit codes: 0 written, 2 configuration, 4 could not be written, 130 interrupted.
    """

    def short_desc(self) -> str:
        """Return what ``scrapy`` lists."""
        return "Write one HTML page to see, hear and filter the collection"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options."""
        super().add_options(parser)
        use_plain_errors(parser)
        parser.add_argument("--out", metavar="FILE", help=f"the page (AUDIO_REPORT, else {DEFAULT})")
        parser.add_argument("--where", metavar="SQL", default="", help="only files for which this expression holds")
        parser.add_argument("--crawl", metavar="ID", help="the crawl that the page is about, instead of the last one")
        parser.add_argument("--rows", metavar="N", type=_count, default=ROWS, help="files listed, default 20000")
        parser.add_argument(
            "--listen",
            metavar="N",
            type=_count,
            help="embed the first 10 s of N files: for a bucket, or to send the page",
        )
        parser.add_argument("--open", action="store_true", help="open it in a browser")
        add_json_option(parser)

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Open the warehouse, and return what reads it and writes the page."""
        require_present(warehouse_path(settings), settings["AUDIO_WAREHOUSE"], "warehouse")
        path = Path(opts.out or AudioSettings.of(settings).report or DEFAULT)
        warehouse = opened_warehouse(settings, opened)
        if opts.crawl is not None and all(row.crawl_id != opts.crawl for row in warehouse.crawl_rows()):
            raise ConfigurationError(f"--crawl {opts.crawl}: no such crawl in {settings['AUDIO_WAREHOUSE']}")
        list(warehouse.select(Query("files", opts.where, ("sha256",), limit=1)))  # refuses a wrong expression
        wanted = _wanted(settings, opts, path)
        if opts.listen:
            require_present(store_path(settings), settings["AUDIO_STORE"], "store")
            store = opened_store(settings, opened)
            wanted = replace(wanted, previews=lambda files: dict(previews_of(store, files, opts.listen)))
        return partial(_write, warehouse, wanted, path, opts)


def _wanted(settings: BaseSettings, opts: argparse.Namespace, path: Path) -> Wanted:
    kind, uri = warehouse_type(settings), settings["AUDIO_WAREHOUSE"]
    return Wanted(
        where=opts.where,
        crawl_id=opts.crawl,
        rows=opts.rows,
        objects=_address(store_path(settings), path),
        backslashes=not kind.is_local,
        query_command=kind.query_command(uri),
        manifest=partial(_manifest, AudioSettings.of(settings).manifest_dir, path),
    )


def _address(folder: Path | None, page: Path) -> str | None:
    """Return the address of a folder relative to the page, so that both can be moved together."""
    if folder is None:
        return None
    relative = os.path.relpath(folder, page.absolute().parent)
    return "" if relative == "." else f"{quote(Path(relative).as_posix())}/"


def _manifest(folder: Path, page: Path, crawl_id: str) -> str | None:
    path = folder / f"{crawl_id}.json"
    return f"{_address(folder.absolute(), page)}{quote(path.name)}" if path.is_file() else None


def _write(warehouse: Warehouse, wanted: Wanted, path: Path, opts: argparse.Namespace) -> int:
    report = report_of(warehouse, wanted)
    text = page_of(report)
    try:
        _replace(path, text)
    except OSError as error:
        print_error(f"{path}: cannot be written: {error.strerror}; name another file with --out")
        return LEFT_BEHIND
    _tell(report, path, opts)
    if opts.open:
        webbrowser.open(path.absolute().as_uri())
    return DONE


def _tell(report: Report, path: Path, opts: argparse.Namespace) -> None:
    files, size_bytes = report.files, path.stat().st_size
    if opts.json:
        listed = {"rows": files["n"], "previews": len(files["previews"] or ())}
        held = {"files": files["total"], "urls": report.urls}
        say_json({"report": str(path), **held, **listed, "size_bytes": size_bytes})
    else:
        say(f"{path}: {files['total']:,} files, {report.urls:,} URLs, {bytes_text(size_bytes)}")


def _replace(path: Path, text: str) -> None:
    """Replace the page atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".part", delete=False) as part:
        try:
            part.write(text)
            part.close()
            Path(part.name).chmod(0o644)
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of files; give 1 or more")
    return int(text)
