"""``scrapy export``: makes a training set of the collection, or says whether one may stay as it is."""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from scrapy.commands import ScrapyCommand
from scrapy.settings import BaseSettings

from audiocrawler.collection import require_present
from audiocrawler.commands.collection import CollectionCommand, opened_store, opened_warehouse
from audiocrawler.commands.streams import print_error, say
from audiocrawler.commands.usage import use_plain_errors
from audiocrawler.crawl.exit_codes import DONE, LEFT_BEHIND, NOTHING
from audiocrawler.crawl.places import store_path, warehouse_path
from audiocrawler.export.check import COLUMNS, Finding, PublishedSet
from audiocrawler.export.columns import Row
from audiocrawler.export.core import KEPT, OPEN, SPLIT_COLUMNS, Sound, Spec, check_sound, shares_of
from audiocrawler.export.entries import Workshop
from audiocrawler.export.folder import OWN
from audiocrawler.export.formats import FORMATS, formats, require
from audiocrawler.export.making import make, opened_folder
from audiocrawler.export.plan import Plan
from audiocrawler.export.push import check_repository, push
from audiocrawler.export.shards import Format, Part, Writing
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.marks import hash_mark, is_tombstone
from audiocrawler.model.settings import AudioSettings
from audiocrawler.model.uris import local_path
from audiocrawler.report.progress import Bar
from audiocrawler.rights.licences import wanted_licences
from audiocrawler.storage import Store, place_of
from audiocrawler.warehouse import Query, Warehouse, count_pending
from audiocrawler.warehouse.views import VIEWS

TEXTS = ("title", "description", "link_text", "page_title")


class Command(CollectionCommand, ScrapyCommand):
    """Make a training set with its card, attribution and splits; run it again after whatever stopped it.

    Exit codes: 0 done, 2 usage or configuration, 3 no file matches, 4 files that had to be in the set are not, or
    --check has found something; 5 the same export is running; 130 interrupted.
    """

    def short_desc(self) -> str:
        """Return what is listed."""
        return "Make a training set of the collection, with licences and attribution"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add what the set is to be."""
        super().add_options(parser)
        use_plain_errors(parser)
        add = parser.add_argument
        add("--format", choices=FORMATS, default="hf", help="layout of the set (default: hf, Parquet with the audio)")
        add("--out", metavar="DIR", help="folder of the set (default: data/export/FORMAT)")
        add("--where", metavar="SQL", default="", help="files of the view `files` that this holds for")
        add(
            "--licenses", metavar="LIST", help="files stated to be under one of these; open: CC0, PDDL, CC-BY, CC-BY-SA"
        )
        add("--with", metavar="LIST", dest="kept", help=f"keep what is left out otherwise: {', '.join(KEPT)}")
        add("--split", metavar="N/N/N", default="", help="percentages of train, validation and test, such as 90/5/5")
        add("--split-by", choices=SPLIT_COLUMNS, default="page", help="what is never divided (default: page)")
        add("--audio", choices=("original", "flac", "wav", "opus"), default="original", help="as it is, or converted")
        add("--rate", type=int, metavar="HZ", help="sample rate of the converted audio")
        add("--mono", action="store_true", help="mix the converted audio down to one channel")
        add("--text", choices=TEXTS, default="", help="column that becomes the column text")
        add("--shard", metavar="N/M", default="1/1", help="only the Nth of M parts of the work")
        add("--push", metavar="ORG/NAME", help="upload the set to the Hugging Face Hub, as a private dataset")
        add(
            "--check",
            metavar="DIR",
            help="say whether a set may stay as it is: taken down, opted out, relicensed, gone",
        )
        add("--json", action="store_true", help="print the result as JSON")

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        """Check the options and decide on each row; then write, or check."""
        require_present(warehouse_path(settings), settings["AUDIO_WAREHOUSE"], "AUDIO_WAREHOUSE")
        if opts.check is not None:
            return partial(_check, PublishedSet.read(Path(opts.check)), opened_warehouse(settings, opened), opts)
        spec, part = _spec(opts), _part(opts.shard)
        if opts.push:
            check_repository(opts.push, part)
        warehouse = opened_warehouse(settings, opened)
        layout = formats(warehouse.source_rows)[spec.format]
        require(layout.needs, "export", f"--format {spec.format}")
        if layout.has_audio:
            require_present(store_path(settings), settings["AUDIO_STORE"], "AUDIO_STORE")
        store = opened_store(settings, opened)
        writing = _writing(
            spec, part, _Collection(store, warehouse), (layout, Path(opts.out or f"data/export/{spec.format}")), opened
        )
        contact = AudioSettings.of(settings).contact
        return partial(_make, writing, part, opts, {"contact": contact} if contact else {})


def _spec(opts: argparse.Namespace) -> Spec:
    sound = Sound(opts.audio, opts.rate, opts.mono)
    check_sound(sound)
    names = frozenset(filter(None, re.split(r"[,\s]+", opts.licenses or "")))
    wanted_licences(sorted(names - {OPEN}), "--licenses ")
    kept = frozenset(filter(None, re.split(r"[,\s]+", opts.kept or "")))
    for name in sorted(kept - KEPT.keys()):
        raise ConfigurationError(f"--with {name}: choose from {', '.join(KEPT)}")
    shares = shares_of(opts.split) if opts.split else (100,)
    return Spec(opts.format, opts.where.strip(), names, kept, shares, opts.split_by, sound, opts.text)


def _part(text: str) -> Part:
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ConfigurationError(f"--shard {text}: write which part of how many, from 1/100 to 100/100")
    return Part(int(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class _Collection:
    """The objects of rows, wherever the store was moved to."""

    store: Store
    warehouse: Warehouse

    def path(self, row: Row) -> Path | None:
        url = self._url(row)
        return local_path(url) if url.startswith("file:") else None

    def open(self, row: Row) -> IO[bytes]:
        return self.store.open_object(self._url(row))

    def _url(self, row: Row) -> str:
        return place_of(row["gcp_url"], row.get("size_bytes"), self.store)

    def rows(self, where: str) -> Iterator[Row]:
        if waiting := count_pending(self.warehouse):
            say(f"{waiting} rows wait to be sent and are not looked at; `scrapy flush` sends them", sys.stderr)
        return self.warehouse.select(Query("files", where, order_by="sha256"))


def _writing(
    spec: Spec, part: Part, collection: _Collection, target: tuple[Format, Path], opened: ExitStack
) -> Writing:
    layout, path = target
    rows = collection.rows(spec.where)  # what is wrong with the expression is told before a folder is made
    folder, locked = opened_folder(path, spec.format, part)
    opened.enter_context(closing(locked))
    plan = opened.enter_context(Plan(spec, VIEWS["files"].types, path / OWN, layout.shard_bytes))
    plan.fill(rows)
    workshop = Workshop(collection, spec.sound, _decoded, path / OWN, layout.has_audio, layout.max_bytes)
    return Writing(plan, layout, workshop, folder)


@contextmanager
def _decoded(path: Path) -> Iterator[Iterator[Any]]:
    """Give the frames of the first audio stream as a crawl measures them; raises AnalysisError."""
    from audiocrawler.analysis import Limits
    from audiocrawler.analysis.decode import Decoder, bounded, open_audio, uniform

    with open_audio(path) as container:
        yield uniform(bounded(Decoder(container).frames(), Limits()))


def _make(writing: Writing, part: Part, opts: argparse.Namespace, about: dict[str, str]) -> int:
    plan, path = writing.plan, writing.folder.path
    if not plan.files:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(plan.left_out.items()))
        print_error(f"no file is left for the set: {reasons or 'no row matches'}")
        return NOTHING
    with Bar("files", sum(shard.files for shard in filter(part.has, plan.shards))) as bar:
        outcome = make(writing, part, bar.advance, about)
    for warning in outcome.warnings:
        say(f"note: {warning}", sys.stderr)
    if opts.json:
        say(json.dumps({"out": str(path), "is_whole": outcome.is_whole, **outcome.numbers, "leaks": plan.leaks()}))
    else:
        say(f"{path}: {outcome.line}")
    if outcome.failed:
        print_error(f"{outcome.failed} files had to be in the set and are not; see `scrapy verify --hash`")
        return LEFT_BEHIND
    if opts.push and outcome.is_whole:
        say(push(path, opts.push))
    return DONE


def _check(published: PublishedSet, warehouse: Warehouse, opts: argparse.Namespace) -> int:
    def was_taken_down(sha256: str, source_url: str) -> bool:
        rows = (warehouse.find_source(key) for key in (hash_mark(sha256), source_url))
        return any(row is not None and is_tombstone(row) for row in rows)

    found: list[Finding] = []
    with Bar("files", len(published.about["files"])) as bar:
        found += published.damaged(bar.advance)
    rows = warehouse.select(Query("files", columns=COLUMNS, order_by="sha256"))
    found += published.withdrawn((row for row in rows if row["sha256"]), was_taken_down)
    if opts.json:
        say(json.dumps({"set": str(published.path), "findings": [asdict(each) for each in found]}))
    else:
        for each in found:
            say(each.text())
        files = published.about["counts"]["files"]
        say(f"{published.path}: {files:,} files, {len(found) or 'no'} finding{'s' * (len(found) != 1)}")
    return LEFT_BEHIND if found else DONE
