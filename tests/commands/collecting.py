"""Makes a small collection, as a crawl leaves it, and runs commands on it."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from audiocrawler.model.rows import AudioMetadata, AudioSource, Row
from audiocrawler.storage import object_key, open_store
from audiocrawler.warehouse import open_warehouse
from tests.crawling import Run, crawl, start
from tests.warehouse.rows import NOON, a_crawl

FILES = 40
DUPLICATES = 5
SOURCES = FILES + DUPLICATES + 1
CRAWLS = 1
ROWS = FILES + SOURCES + CRAWLS
LARGE = (1 << 20) + 2
"""Bytes of the last file, which is uploaded in several requests."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A folder with ``data/objects`` and ``data/audio.db``."""

    folder: Path

    def audio(self) -> list[AudioMetadata]:
        warehouse = open_warehouse(f"sqlite:{self.folder}/data/audio.db")
        rows = list(warehouse.audio_rows())
        warehouse.close()
        return rows

    def path_of(self, row: AudioMetadata) -> Path:
        return Path(row.gcp_url.removeprefix("file://"))

    def run(self, *command: str, **how: Any) -> Run:
        return crawl(self.folder, command=command, **how)

    def start(self, *command: str, **how: Any) -> Any:
        return start(self.folder, command=command, **how)


def collect(folder: Path, files: int = FILES) -> Collection:
    """Store files with their rows, some of which have two sources, and one source that failed."""
    store, warehouse = open_store(f"file:{folder}/data/objects"), open_warehouse(f"sqlite:{folder}/data/audio.db")
    rows: list[Row] = [a_crawl(), source("broken", status="failed", last_status="failed")]
    for number in range(files):
        content = number.to_bytes(2) * (LARGE // 2 if number == files - 1 else 500 + number)
        digest = sha256(content).hexdigest()
        path = folder / "body"
        path.write_bytes(content)
        about = {"content_type": "audio/mpeg", "file_name": f"{number}.mp3"}
        key = object_key(digest, "mp3")
        url = store.put(path, key, sha256=digest, source_url="https://example.org/", **about)
        path.unlink()
        stored: dict[str, Any] = {"gcp_url": url, "sha256": digest, "size_bytes": len(content)}
        rows += [
            source(f"{number:03}", **stored),
            audio(source_url=f"https://example.org/{number:03}", **stored, **about),
        ]
        if number < DUPLICATES:
            rows.append(source(f"{number:03}-again", status="duplicate", **stored))
    warehouse.upsert(rows)
    store.close()
    warehouse.close()
    return Collection(folder)


def audio(**values: Any) -> AudioMetadata:
    measured = {"duration_ms": 1500, "loudness": -20.5, "classification": "Medium Energy", "waveform": b"\x00\xff"}
    return AudioMetadata(**{**measured, "tags": {"title": "é"}, "first_seen_at": NOON, **values})


def source(name: str, status: str = "stored", **values: Any) -> AudioSource:
    return AudioSource(
        **{"source_url": f"https://example.org/{name}", "status": status, "last_status": status, **values}
    )
