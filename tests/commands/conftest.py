import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.commands.collecting import Collection, collect
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.gcs import GcsEmulator

NUMBERS = count()


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return collect(tmp_path)


@dataclass(frozen=True, slots=True)
class Cloud:
    """An empty bucket and a dataset that is not there yet, each behind a proxy."""

    emulator: GcsEmulator
    storage: FaultProxy
    bigquery: FaultProxy
    bucket: str
    warehouse: str

    @property
    def store(self) -> str:
        return f"gs://{self.bucket}/audio"

    @property
    def targets(self) -> tuple[str, ...]:
        return ("--to-store", self.store, "--to-warehouse", self.warehouse)

    def objects(self) -> dict[str, dict[str, Any]]:
        return self.emulator.objects(self.bucket)

    def uploads(self) -> int:
        return self.storage.count("^POST .*uploadType=")


@pytest.fixture
def cloud(gcs_emulator, bigquery_emulator, monkeypatch) -> Iterator[Cloud]:
    number = next(NUMBERS)
    with FaultProxy(gcs_emulator.url) as storage, FaultProxy(bigquery_emulator.url) as bigquery:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery.url)
        monkeypatch.setenv("NO_GCE_CHECK", "true")
        bucket = gcs_emulator.create_bucket(f"sync-{number}")
        yield Cloud(
            gcs_emulator, storage, bigquery, bucket, f"bigquery://project/sync_{os.getpid()}_{number}/audio_metadata"
        )
