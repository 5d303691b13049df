"""A bucket and a dataset for one test, and what crawls leave there."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from audiocrawler.model.rows import AUDIO_CRAWLS, AUDIO_METADATA, AUDIO_SOURCES, AudioMetadata, AudioSource
from tests.emulators.bigquery import BigQueryEmulator
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.gcs import GcsEmulator
from tests.warehouse.in_bigquery import query, read

NUMBERS = count()


@dataclass(slots=True)
class Cloud:
    """A bucket and a dataset of the test's own, each behind a proxy that can fail."""

    gcs: GcsEmulator
    storage: FaultProxy
    bigquery: FaultProxy
    bucket: str
    uri: str

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of a crawl into this cloud."""
        return {
            "STORAGE_EMULATOR_HOST": self.storage.url,
            "BIGQUERY_EMULATOR_HOST": self.bigquery.url,
            "AUDIO_STORE": f"gs://{self.bucket}/audio",
            "AUDIO_WAREHOUSE": self.uri,
            "AUDIO_BIGQUERY_CREATE": "True",
        }

    @property
    def audio(self) -> list[AudioMetadata]:
        """Return what the table holds."""
        return read(self.uri, AUDIO_METADATA)

    @property
    def sources(self) -> dict[str, AudioSource]:
        """Return what the table holds, by URL."""
        return {row.source_url: row for row in read(self.uri, AUDIO_SOURCES)}

    @property
    def exit_codes(self) -> list[tuple[int | None, str | None]]:
        """Return how the crawls of the table ended."""
        return [(row.exit_code, row.error) for row in read(self.uri, AUDIO_CRAWLS)]

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of the bytes of each object, by its URL."""
        return {
            f"gs://{self.bucket}/{name}": hashlib.sha256(self.gcs.content(self.bucket, name)).hexdigest()
            for name in self.gcs.objects(self.bucket)
        }

    def tables(self) -> set[str]:
        """Return the names of all tables in the dataset."""
        dataset = ".".join(self.uri.split("/")[2:4])
        return {row["table_name"] for row in query(f"SELECT table_name FROM `{dataset}`.INFORMATION_SCHEMA.TABLES")}


@contextmanager
def new_cloud(gcs: GcsEmulator, bigquery: BigQueryEmulator) -> Iterator[Cloud]:
    """Give an empty bucket and the name of a dataset that is not there yet."""
    number = next(NUMBERS)
    uri = f"bigquery://project/crawl_{os.getpid()}_{number}/audio_metadata"
    with FaultProxy(gcs.url) as storage, FaultProxy(bigquery.url) as tables:
        bucket = gcs.create_bucket(f"crawl-{os.getpid()}-{number}")
        yield Cloud(gcs, storage, tables, bucket, uri)


def waiting_rows(folder: Path) -> int:
    """Return how many rows are in the outbox."""
    total = 0
    for path in (folder / "data/outbox").glob("*.db"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as outbox:
            total += outbox.execute("SELECT count(*) FROM pending").fetchone()[0]
    return total
