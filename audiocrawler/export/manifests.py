"""A row in; what a manifest of Lhotse or NeMo says of its file, out."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from audiocrawler.export.columns import TEXT, Row
from audiocrawler.export.folder import HashedFile
from audiocrawler.export.plan import Plan


def nemo_line(row: Row, path: str, plan: Plan) -> dict[str, Any]:
    """Return the line of a file; it has a rate, for NeMo opens each file that has none.

    See https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/asr/datasets.html.
    """
    return {
        **_told(row, plan),
        "audio_filepath": path,
        "duration": _seconds(row),
        "sampling_rate": row.get("sample_rate_hz"),
        "text": row.get(TEXT) or "",
        **({"lang": row["language"]} if row.get("language") else {}),
    }


def recording(row: Row, kind: str, source: str) -> dict[str, Any]:
    """Return what Lhotse calls a recording; see https://lhotse.readthedocs.io."""
    channels = list(range(row.get("channels") or 1))
    return {
        "id": row["sha256"],
        "sources": [{"type": kind, "channels": channels, "source": source}],
        "sampling_rate": row.get("sample_rate_hz"),
        "num_samples": _samples(row),
        "duration": _seconds(row),
        "channel_ids": channels,
    }


def cut(recording: dict[str, Any], row: Row, plan: Plan) -> dict[str, Any]:
    """Return the cut that is the whole of a recording."""
    channels = recording["channel_ids"]
    is_mono = len(channels) == 1
    supervision = {
        "id": recording["id"],
        "recording_id": recording["id"],
        "start": 0.0,
        "duration": recording["duration"],
        "channel": 0 if is_mono else channels,
        "text": row.get(TEXT),
        **({"language": row["language"]} if row.get("language") else {}),
    }
    return {
        "id": recording["id"],
        "start": 0.0,
        "duration": recording["duration"],
        "channel": 0 if is_mono else channels,
        "supervisions": [supervision] if row.get(TEXT) else [],
        "recording": recording,
        "custom": _told(row, plan),
        "type": "MonoCut" if is_mono else "MultiCut",
    }


def _told(row: Row, plan: Plan) -> Row:
    """Return what there is to tell of a file besides what the manifest has fields for."""
    return {name: row[name] for name, kind in plan.types.items() if kind != "BYTES" and row.get(name) is not None}


def _samples(row: Row) -> int:
    """Return how many samples a channel has, counted where a crawl or the conversion has counted them."""
    counted = row.get("samples")
    rate_hz = row.get("sample_rate_hz") or 0
    return int(counted) if counted is not None else round((row.get("duration_ms") or 0) * rate_hz / 1000)


def _seconds(row: Row) -> float:
    rate_hz = row.get("sample_rate_hz")
    return _samples(row) / rate_hz if rate_hz else (row.get("duration_ms") or 0) / 1000


def json_line(value: Any) -> bytes:
    """Return a line of a manifest."""
    return f"{json.dumps(value, ensure_ascii=False)}\n".encode("utf-8", "replace")


@contextmanager
def compressed(file: HashedFile) -> Iterator[gzip.GzipFile]:
    """Give a gzip file that tells neither its name nor the time, and so is the same each time."""
    with gzip.GzipFile(filename="", mode="wb", fileobj=cast(Any, file), mtime=0) as target:
        yield target
