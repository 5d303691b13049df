"""Rows, and audio with them where a set has it, in; one Parquet file out, a small row group at a time."""

from collections.abc import Mapping
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from audiocrawler.export.columns import Row, Types, json_text, typed
from audiocrawler.export.folder import HashedFile

CELL_BYTES = (1 << 31) - 1
"""Arrow's binary type counts its bytes in 32 bits (Arrow Columnar Format, "Variable-size Binary Layout")."""
GROUP_ROWS, GROUP_BYTES = 100, 4 << 20
"""Of a row group with audio: it is held several times while it is written."""
TABLE_GROUP_ROWS = 5000
_ARROW: Mapping[str, pa.DataType] = {
    "STRING": pa.string(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "BYTES": pa.binary(),
    "JSON": pa.string(),
}
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
        fields = [(name, _ARROW[kind]) for name, kind in types.items()]
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
            use_content_defined_chunking=has_audio,
        )
        self._schema = schema
        self._group: list[tuple[Row, bytes | None, str]] = []
        self._group_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._write()
            self._writer.close()
        else:
            self._writer.is_open = False  # half a file gets no end, for which PyArrow would write when it is collected

    def add(self, row: Row, audio: bytes | None = None, name: str = "") -> None:
        """Add a row, and its audio where there is any."""
        size_bytes = len(audio or b"")
        limit = GROUP_ROWS if self._has_audio else TABLE_GROUP_ROWS
        if self._group and (len(self._group) >= limit or self._group_bytes + size_bytes > GROUP_BYTES):
            self._write()
        self._group.append((row, audio, name))
        self._group_bytes += size_bytes

    def _write(self) -> None:
        if not self._group:
            return
        arrays = [
            pa.array([typed(row.get(name), kind) for row, _, _ in self._group], _ARROW[kind])
            for name, kind in self._types.items()
        ]
        if self._has_audio:
            audio = pa.array([audio for _, audio, _ in self._group], pa.binary())
            names = pa.array([name for _, _, name in self._group], pa.string())
            arrays.insert(0, pa.StructArray.from_arrays([audio, names], fields=list(_AUDIO)))
        self._group, self._group_bytes = [], 0
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
