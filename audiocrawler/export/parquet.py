"""Rows, and audio with them where a set has it, in; one Parquet file out, a small row group at a time."""

from collections.abc import Mapping
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from audiocrawler.export.columns import TYPED, Row, Types, json_text
from audiocrawler.export.entries import Entry
from audiocrawler.export.folder import HashedFile

GROUP_ROWS, GROUP_BYTES = 100, 16 << 20
"""Of a row group with audio, which is held in memory until it is written."""
TABLE_GROUP_ROWS = 5000
ARROW: Mapping[str, pa.DataType] = {
    "STRING": pa.string(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "BYTES": pa.binary(),
    "JSON": pa.string(),
}
"""Type of a column, in the terms of model.rows -> Arrow's."""
_FEATURES = {
    "STRING": "string",
    "INTEGER": "int64",
    "FLOAT": "float64",
    "BOOLEAN": "bool",
    "TIMESTAMP": "timestamp[us, tz=UTC]",
    "BYTES": "binary",
    "JSON": "string",
}
"""The same in the words of ``datasets``."""
_AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def features(types: Types, audio_rate_hz: int | None) -> dict[str, Any]:
    """Return what ``datasets`` is told of the columns."""
    audio = {"_type": "Audio"} | ({"sampling_rate": audio_rate_hz} if audio_rate_hz else {})
    return {"audio": audio} | {name: {"dtype": _FEATURES[kind], "_type": "Value"} for name, kind in types.items()}


class Table:
    """A Parquet file under way."""

    def __init__(
        self, file: HashedFile, types: Types, *, has_audio: bool = False, audio_rate_hz: int | None = None
    ) -> None:
        pa.set_memory_pool(pa.system_memory_pool())  # the others keep what is freed for later
        self._types = types
        self._has_audio = has_audio
        fields = [(name, ARROW[kind]) for name, kind in types.items()]
        schema = pa.schema([("audio", _AUDIO), *fields] if has_audio else fields)
        if has_audio:
            told = {"info": {"features": features(types, audio_rate_hz)}}
            schema = schema.with_metadata({"huggingface": json_text(told)})
        texts = [name for name, kind in types.items() if kind in {"STRING", "JSON"}]
        self._writer = pq.ParquetWriter(
            file,
            schema,
            compression=dict.fromkeys(types, "ZSTD")
            | ({"audio.bytes": "NONE", "audio.path": "ZSTD"} if has_audio else {}),
            use_dictionary=texts,  # not the audio: a dictionary of it would be held in memory
            write_statistics=[name for name, kind in types.items() if kind != "BYTES"],
            write_page_index=True,
            write_batch_size=1 if has_audio else None,  # else all audio of a group would be one page, held once more
        )
        self._schema = schema
        self._rows: list[Row] = []
        self._audio = _Audio() if has_audio else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._write()
            self._writer.close()
        else:
            self._writer.is_open = False  # half a file gets no end, for which PyArrow would write when it is collected

    def add(self, row: Row, entry: Entry | None = None) -> None:
        """Add a row, and in a table with audio the entry that has it. Raises OSError."""
        if self._audio is None or entry is None:
            if len(self._rows) >= TABLE_GROUP_ROWS:
                self._write()
        else:
            if len(self._rows) >= GROUP_ROWS or not self._audio.has_room(entry.size_bytes):
                self._write()
            self._audio.add(entry)
        self._rows.append(row)

    def _write(self) -> None:
        if not self._rows:
            return
        arrays = [_array([row.get(name) for row in self._rows], kind) for name, kind in self._types.items()]
        if self._audio is not None:
            arrays.insert(0, self._audio.array())
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows.clear()
        if self._audio is not None:
            del arrays  # they are made of the memory that the next group is put into
            self._audio.clear()


def _array(values: list[Any], kind: str) -> pa.Array:
    convert = TYPED.get(kind)
    if convert is not None:
        values = [None if value is None else convert(value) for value in values]
    return pa.array(values, ARROW[kind])


class _Audio:
    """The audio of a row group, put at once where Arrow reads it from."""

    def __init__(self) -> None:
        self._memory = bytearray(GROUP_BYTES)
        self._ends = [0]
        self._names: list[str] = []

    def has_room(self, size_bytes: int) -> bool:
        """Tell whether a file goes into the group, as the first one always does."""
        return not self._names or self._ends[-1] + size_bytes <= GROUP_BYTES

    def add(self, entry: Entry) -> None:
        """Read a file. Raises OSError."""
        end = self._ends[-1]
        if entry.size_bytes > len(self._memory):  # it is the first one
            self._memory = bytearray(entry.size_bytes)
        for piece in entry.pieces():
            self._memory[end : end + len(piece)] = piece
            end += len(piece)
        self._ends.append(end)
        self._names.append(entry.name)

    def array(self) -> pa.Array:
        """Return the column; it is valid until the group is cleared."""
        offsets = pa.array(self._ends, pa.int32()).buffers()[1]
        parts = [None, offsets, pa.py_buffer(self._memory)]
        audio = pa.Array.from_buffers(pa.binary(), len(self._names), parts)
        return pa.StructArray.from_arrays([audio, pa.array(self._names, pa.string())], fields=list(_AUDIO))

    def clear(self) -> None:
        """Begin the next group."""
        del self._memory[GROUP_BYTES:]
        del self._ends[1:], self._names[:]
