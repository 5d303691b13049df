"""A collection of small recordings with all that an export looks at, made without a crawl."""

import io
import math
import sqlite3
import struct
import wave
from collections.abc import Iterable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, AudioMetadata, AudioSource, Row
from audiocrawler.storage import object_key, open_store
from audiocrawler.warehouse import open_warehouse
from audiocrawler.warehouse.sqlite_schema import UPSERT, to_record
from tests.cloud import Cloud
from tests.commands.collecting import Collection, audio, source
from tests.warehouse.rows import NOON, a_crawl

RATE_HZ = 8000
LICENSES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0", None)
PAGES = 12


def tone(number: int, rate_hz: int = RATE_HZ, samples: int = 1600) -> bytes:
    """Return a WAV file of two channels."""
    values = (round(9000 * math.sin(i * (number + 1) / 90)) for i in range(samples))
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((2, 2, rate_hz, samples, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<hh", value, -value // 2) for value in values))
    return content.getvalue()


def rows_of(number: int, content: bytes, **changed: Any) -> tuple[AudioMetadata, AudioSource]:
    """Return the rows of a recording; ``changed`` are values of either."""
    digest = sha256(content).hexdigest()
    url = f"https://example.org/p{number % PAGES}/{number:05}.wav"
    licence = LICENSES[number % 4]
    both = {"sha256": digest, "size_bytes": len(content), "title": f"Möwe, {number}", "artist": f"artist {number % 7}"}
    where = {"page_url": f"https://example.org/p{number % PAGES}/", "found_by": "link"}
    measured = {
        "source_url": url,
        "file_name": f"{number}.wav",
        "duration_ms": 200,
        "sample_rate_hz": RATE_HZ,
        "channels": 2,
        "bits_per_sample": 16,
        "codec": "pcm_s16le",
        "lufs": -20.0 if number % 3 else None,
        "pcm_hash": digest[:32],
        "is_silent": False,
        "status": "ok",
        "crawl_id": "c-1",
        "updated_at": NOON,
        "waveform": bytes(range(200)),
    }
    stated: dict[str, Any] = {
        "license": licence,
        "license_raw": licence and f"Licence: {licence}",
        "host": "example.org",
    }
    stated |= {"license_found_in": licence and f"json_ld={licence}", "attribution": f"Mr {number % 7}"}
    known = {name: value for name, value in changed.items() if name in AudioMetadata.__dataclass_fields__}
    told = {name: value for name, value in changed.items() if name in AudioSource.__dataclass_fields__}
    told.pop("status", None)
    return (
        audio(**{"gcp_url": "", **both, **where, **measured, **known}),
        source("", **{**both, **where, **stated, "first_seen_at": NOON, **told, "source_url": url}),
    )


def collect(folder: Path, recordings: Iterable[tuple[bytes, dict[str, Any]]]) -> Collection:
    """Store recordings with their rows; what each is besides is said by the values of its columns."""
    store, warehouse = open_store(f"file:{folder}/data/objects"), open_warehouse(f"sqlite:{folder}/data/audio.db")
    rows: list[Row] = [a_crawl()]
    body = folder / "body"
    for number, (content, changed) in enumerate(recordings):
        found, at = rows_of(number, content, **changed)
        body.write_bytes(content)
        key = object_key(found.sha256 or "", "wav")
        about = {"content_type": "audio/wav", "file_name": found.file_name}
        found.gcp_url = at.gcp_url = store.put(body, key, sha256=found.sha256 or "", source_url=at.source_url, **about)
        body.unlink()
        rows += [at, found]
    warehouse.upsert(rows)
    store.close()
    warehouse.close()
    return Collection(folder)


def collect_many(folder: Path, number: int, samples: int = 5000) -> Collection:
    """Make a collection of many small recordings as fast as it goes, past the safeguards of store and warehouse."""
    collection, sounds = collect(folder, []), [tone(each, samples=samples) for each in range(50)]
    with closing(sqlite3.connect(folder / "data/audio.db")) as database:
        for each in range(number):
            content = sounds[each % 50] + each.to_bytes(4)
            found, at = rows_of(each, content)
            target = folder / "data/objects" / object_key(found.sha256 or "", "wav")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            found.gcp_url = at.gcp_url = target.as_uri()
            for row, table in ((found, AUDIO_METADATA), (at, AUDIO_SOURCES)):
                database.execute(UPSERT[table.name], to_record(row, table))
        database.commit()
    return collection


def copy(collection: Collection, cloud: Cloud) -> None:
    """Copy a collection to a bucket and a dataset."""
    targets = ("--to-store", cloud.env["AUDIO_STORE"], "--to-warehouse", cloud.uri)
    hosts = {name: value for name, value in cloud.env.items() if name.endswith("_HOST")}
    done = collection.run("sync", *targets, env=hosts | {"AUDIO_BIGQUERY_CREATE": "True"})
    assert done.code == 0, done.stderr


def ordinary(number: int = 40) -> list[tuple[bytes, dict[str, Any]]]:
    """Return recordings of which an export leaves out four: opted out, partial, silent and the same samples."""
    made: list[tuple[bytes, dict[str, Any]]] = [(tone(each), {}) for each in range(number)]
    made[0][1]["opt_out"] = "X-Robots-Tag: noai"
    made[1][1]["status"] = "partial"
    made[2][1]["is_silent"] = True
    made[4][1]["pcm_hash"] = made[5][1]["pcm_hash"] = "f" * 32
    return made


def files_in(folder: Path) -> dict[str, str]:
    """Return the files of a set and their hashes, without what the export keeps for itself."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".export" not in path.relative_to(folder).parts
    }
