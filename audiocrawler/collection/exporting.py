"""What ``scrapy export`` does, in a process that has no Scrapy in it: that alone takes more memory than an export.

The command replaces itself with this program: process, terminal, signals and exit code stay those of the command.
"""

import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NoReturn

from audiocrawler.collection.ending import exit_code_of
from audiocrawler.crawl.exit_codes import DONE, LEFT_BEHIND, NOTHING
from audiocrawler.export.check import COLUMNS, Finding, PublishedSet
from audiocrawler.export.columns import TRANSCRIPT, Row
from audiocrawler.export.core import Spec
from audiocrawler.export.entries import Workshop
from audiocrawler.export.folder import OWN
from audiocrawler.export.formats import formats
from audiocrawler.export.making import Outcome, make, opened_folder
from audiocrawler.export.plan import Plan
from audiocrawler.export.push import push
from audiocrawler.export.shards import Part, Writing
from audiocrawler.export.transcript import MAX_TEXT_BYTES, with_words
from audiocrawler.model.errors import StoreError
from audiocrawler.model.marks import hash_mark
from audiocrawler.model.uris import local_path
from audiocrawler.report.messages import print_error, say, say_json, survive_closed_pipes
from audiocrawler.report.progress import Bar
from audiocrawler.storage import Options as StoreOptions
from audiocrawler.storage import Store, open_store, place_of
from audiocrawler.warehouse import Options as WarehouseOptions
from audiocrawler.warehouse import Query, Warehouse, count_pending, open_warehouse
from audiocrawler.warehouse.views import VIEWS


@dataclass(frozen=True, slots=True)
class Places:
    """Where the collection is, by the URIs and options of its parts."""

    store: str
    store_options: StoreOptions
    warehouse: str
    warehouse_options: WarehouseOptions

    def opened_store(self, opened: ExitStack) -> Store:
        """Open the store. Raises ConfigurationError."""
        return opened.enter_context(closing(open_store(self.store, self.store_options)))

    def opened_warehouse(self, opened: ExitStack) -> Warehouse:
        """Open the warehouse. Raises ConfigurationError."""
        return opened.enter_context(closing(open_warehouse(self.warehouse, self.warehouse_options)))


@dataclass(frozen=True, slots=True)
class Export:
    """An export, or the check of a set, whose options have been looked at."""

    places: Places
    as_json: bool
    check: Path | None = None
    """The set to check, instead of making one."""
    spec: Spec = field(default_factory=Spec)
    part: Part = field(default_factory=Part)
    out: Path = Path()
    push: str | None = None
    about: dict[str, str] = field(default_factory=dict)
    """What the card is told; see write_card."""

    def prepared(self, opened: ExitStack) -> Callable[[], int]:
        """Open the collection and decide on each row; return the work. Raises ConfigurationError."""
        if self.check is not None:
            return partial(_check, self, PublishedSet.read(self.check), self.places.opened_warehouse(opened))
        return partial(_make, self, _writing(self, opened))


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

    def has(self, row: Row) -> bool:
        return self.store.exists(self._url(row), None)

    def text(self, url: str) -> bytes | None:
        """Return a stored transcript; None where it is missing, larger than any or cannot be read."""
        try:
            with self.store.open_object(place_of(url, None, self.store)) as file:
                body = file.read(MAX_TEXT_BYTES + 1)
        except StoreError:
            return None
        return body if len(body) <= MAX_TEXT_BYTES else None

    def _url(self, row: Row) -> str:
        return place_of(row["gcp_url"], row.get("size_bytes"), self.store)

    def rows(self, where: str) -> Iterator[Row]:
        _tell_pending(self.warehouse)
        return self.warehouse.select(Query("files", where, order_by="sha256"))


def _tell_pending(warehouse: Warehouse) -> None:
    if pending := count_pending(warehouse):
        say(f"{pending} rows are pending and not included; `scrapy flush` uploads them", sys.stderr)


def _writing(export: Export, opened: ExitStack) -> Writing:
    spec, path = export.spec, export.out
    warehouse = export.places.opened_warehouse(opened)
    layout = formats(lambda: warehouse.select(Query("sources", order_by="source_url")))[spec.format]
    collection = _Collection(export.places.opened_store(opened), warehouse)
    rows = collection.rows(spec.where)  # what is wrong with the expression is told before a folder is made
    folder, locked = opened_folder(path, spec.format, export.part)
    opened.enter_context(closing(locked))
    plan = opened.enter_context(Plan(spec, VIEWS["files"].types, path / OWN, layout.shard_bytes))
    plan.fill(with_words(rows, collection.text) if spec.text == TRANSCRIPT else rows)
    workshop = Workshop(collection, spec.sound, decoded, path / OWN, layout.has_audio, layout.max_bytes)
    return Writing(plan, layout, workshop, folder)


@contextmanager
def decoded(path: Path) -> Iterator[Iterator[Any]]:
    """Give the frames of the first audio stream as a crawl measures them; raises AnalysisError."""
    from audiocrawler.analysis import Limits
    from audiocrawler.analysis.decode import Decoder, bounded, open_audio, uniform

    with open_audio(path) as container:
        yield uniform(bounded(Decoder(container).frames(), Limits()))


def _make(export: Export, writing: Writing) -> int:
    plan, part, path = writing.plan, export.part, writing.folder.path
    if not plan.files:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(plan.left_out.items()))
        print_error(f"no file is left for the set: {reasons or 'no row matches'}")
        return NOTHING
    with Bar("files", sum(shard.files for shard in filter(part.has, plan.shards))) as bar:
        outcome = make(writing, part, partial(_advance, bar), export.about)
    pushed = push(path, export.push) if export.push and outcome.is_whole and not outcome.failed else None
    if export.as_json:
        say_json(_result(writing, outcome, pushed))
    else:
        _say_lines(path, outcome, pushed)
    if outcome.failed:
        print_error(f"{outcome.failed} files had to be in the set and are not; see `scrapy verify --hash`")
    return LEFT_BEHIND if outcome.failed else DONE


@dataclass(slots=True)
class _CtrlC:
    """Remembers Ctrl-C: a KeyboardInterrupt may be lost in a callback of a library."""

    was_pressed: bool = False
    """No threading.Event, whose lock a second Ctrl-C would wait for if it came while the first one holds it."""

    def press(self, *_: object) -> NoReturn:
        self.was_pressed = True
        raise KeyboardInterrupt


_CTRL_C = _CtrlC()


def _advance(bar: Bar, number: int, size_bytes: int) -> None:
    if _CTRL_C.was_pressed:
        raise KeyboardInterrupt
    bar.advance(number, size_bytes)


def _say_lines(path: Path, outcome: Outcome, pushed: str | None) -> None:
    for warning in outcome.warnings:
        say(f"note: {warning}", sys.stderr)
    say(f"{path}: {outcome.line}")
    if pushed:
        say(f"uploaded to {pushed}")


def _result(writing: Writing, outcome: Outcome, pushed: str | None) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    shards = writing.plan.shards
    return {
        "out": str(writing.folder.path),
        "is_whole": outcome.is_whole,
        "shards": len(shards),
        "shards_done": sum(writing.done(shard) is not None for shard in shards),
        **outcome.numbers,
        "failed": outcome.failed,
        "leaks": writing.plan.leaks(),
        "warnings": outcome.warnings,
        "pushed_to": pushed,
    }


def _check(export: Export, published: PublishedSet, warehouse: Warehouse) -> int:
    _tell_pending(warehouse)
    marks = cache(lambda: frozenset(warehouse.taken_down()))  # of all machines, which no lookup of one row tells

    def was_taken_down(sha256: str, source_url: str) -> bool:
        return not marks().isdisjoint({hash_mark(sha256), source_url})

    found: list[Finding] = []
    with Bar("files", len(published.about["files"])) as bar:
        found += published.damaged(bar.advance)
    rows = warehouse.select(Query("files", columns=COLUMNS, order_by="sha256"))
    found += published.withdrawn((row for row in rows if row["sha256"]), was_taken_down)
    files = published.about["counts"]["files"]
    if export.as_json:
        say_json({"set": str(published.path), "files": files, "findings": [asdict(each) for each in found]})
    else:
        for each in found:
            say(each.text())
        say(f"{published.path}: {files:,} files, {len(found) or 'no'} finding{'s' * (len(found) != 1)}")
    return LEFT_BEHIND if found else DONE


def replace_this_process(export: Export) -> NoReturn:
    """Go on with the export as a program of its own, under the name that was called."""
    sys.stdout.flush()
    sys.stderr.flush()
    with TemporaryFile() as file:
        pickle.dump((sys.argv[0], export), file)
        file.seek(0)
        os.set_inheritable(file.fileno(), True)
        words = [sys.executable, "-P", "-c", f"from {__name__} import main; main()", str(file.fileno())]
        os.execve(  # noqa: S606 - this program
            sys.executable, words, {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        )


def main() -> None:
    """Do what ``replace_this_process`` was given, and exit with its exit code."""
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        sys.argv[0], export = pickle.load(file)  # noqa: S301 - of this program, and without a name
    signal.signal(signal.SIGINT, _CTRL_C.press)
    survive_closed_pipes()
    sys.exit(exit_code_of(export.prepared))
