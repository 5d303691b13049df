"""Tables without audio: ``files`` and, of the same files, ``sources``, as JSON lines, CSV or Parquet."""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Protocol

from audiocrawler.export.columns import PRIVATE, Row, Types, cell
from audiocrawler.export.entries import Entry
from audiocrawler.export.folder import Folder, HashedFile
from audiocrawler.export.plan import Plan, Shard
from audiocrawler.export.shards import Record
from audiocrawler.model.flat import plain
from audiocrawler.model.rows import AUDIO_SOURCES
from audiocrawler.model.spreadsheets import safe_cell

Sources = Callable[[], Iterator[Row]]
SOURCE_TYPES = {column.name: column.type for column in AUDIO_SOURCES.columns if column.name != PRIVATE}


class _Writer(Protocol):
    def add(self, row: Row) -> None: ...


class TableFormat(ABC):
    """``files.csv`` and ``sources.csv``, or with splits ``files-train.csv`` and so on."""

    name: ClassVar[str]
    has_audio: ClassVar[bool] = False
    max_bytes: ClassVar[int | None] = None
    shard_bytes: ClassVar[int | None] = 1 << 62  # a table is one file
    needs: ClassVar[str | None] = None

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @abstractmethod
    def opened(self, file: HashedFile, types: Types) -> AbstractContextManager[_Writer]:
        """Return what writes rows with these columns to the file."""

    def write(self, plan: Plan, shard: Shard, entries: Iterator[Entry], folder: Folder) -> None:
        """Write the files of a split; see Format.write."""
        part = f"-{shard.split}" if len(plan.spec.splits) > 1 else ""
        self._write(f"files{part}", plan.types, (entry.row for entry in entries), folder)

    def finish(self, plan: Plan, records: Sequence[Record], folder: Folder) -> None:
        """Write the sources of all splits; see Format.finish."""
        rows = (_plain(row) for row in self._sources() if plan.has(row["sha256"]))
        self._write("sources", SOURCE_TYPES, rows, folder)

    def _write(self, name: str, types: Types, rows: Iterable[Row], folder: Folder) -> None:
        with folder.writing(f"{name}.{self.name}") as file, self.opened(file, types) as table:
            for row in rows:
                table.add(row)


def _plain(row: Row) -> Row:
    return {name: plain(value) for name, value in row.items()}


class JsonLinesFormat(TableFormat):
    """An object a line, with every column but waveforms."""

    name: ClassVar[str] = "jsonl"

    def opened(self, file: HashedFile, types: Types) -> AbstractContextManager[_Writer]:
        """Return what writes lines; see TableFormat.opened."""
        return nullcontext(_JsonLines(file, types))


class _JsonLines:
    def __init__(self, file: HashedFile, types: Types) -> None:
        self._file, self._names = file, [name for name, kind in types.items() if kind != "BYTES"]

    def add(self, row: Row) -> None:
        line = json.dumps({name: row.get(name) for name in self._names}, ensure_ascii=False)
        self._file.write(f"{line}\n".encode("utf-8", "replace"))


class CsvFormat(TableFormat):
    """RFC 4180 in UTF-8, with every column but waveforms, and no text that a spreadsheet takes for a formula."""

    name: ClassVar[str] = "csv"

    def opened(self, file: HashedFile, types: Types) -> AbstractContextManager[_Writer]:
        """Return what writes lines; see TableFormat.opened."""
        kinds = {name: kind for name, kind in types.items() if kind != "BYTES"}
        table = CsvTable(file, list(kinds))
        return nullcontext(_TypedCsv(table, kinds))


class CsvTable:
    """Lines of CSV after a line of names."""

    def __init__(self, file: HashedFile, names: Sequence[str]) -> None:
        self._file, self._names = file, names
        self._write(names)

    def add(self, row: Row) -> None:
        """Write a line."""
        self._write([_csv_cell(row.get(name)) for name in self._names])

    def _write(self, values: Sequence[Any]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(values)
        self._file.write(line.getvalue().encode("utf-8", "replace"))


class _TypedCsv:
    def __init__(self, table: CsvTable, types: Types) -> None:
        self._table, self._types = table, types

    def add(self, row: Row) -> None:
        self._table.add({name: cell(row.get(name), kind) for name, kind in self._types.items()})


def _csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return safe_cell(value) if isinstance(value, str) else value


class ParquetFormat(TableFormat):
    """Typed columns, waveforms too."""

    name: ClassVar[str] = "parquet"
    needs: ClassVar[str | None] = "pyarrow"

    def opened(self, file: HashedFile, types: Types) -> AbstractContextManager[_Writer]:
        """Return what writes row groups; see TableFormat.opened."""
        from audiocrawler.export.parquet import Table

        return Table(file, types)
