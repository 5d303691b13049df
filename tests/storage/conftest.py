from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from audiocrawler.storage import Options, Store, open_store
from audiocrawler.storage.store import STORES
from tests import memory
from tests.emulators.gcs import GcsEmulator
from tests.memory import remembered
from tests.storage.putting import CONTENT

BUCKETS = count()


@pytest.fixture
def source(tmp_path) -> Path:
    path = Path(tmp_path, "incoming", "1.part")
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def gcs(gcs_emulator, monkeypatch) -> Iterator[GcsEmulator]:
    """Gives the Cloud Storage server that the official client will talk to."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_emulator.url)
    granted = gcs_emulator.granted
    yield gcs_emulator
    gcs_emulator.granted = granted


@pytest.fixture
def bucket(gcs: GcsEmulator) -> str:
    return gcs.create_bucket(f"bucket-{next(BUCKETS)}")


@dataclass
class Place:
    """Where a store keeps its objects, and what is there."""

    uri: str
    contents: Callable[[], dict[str, bytes]]

    def open(self, below: str = "") -> Store:
        """Open the store, or another one below it."""
        return open_store(self.uri + below, Options(schemes=STORES | memory.STORES))


@pytest.fixture(params=["local", "gcs", "memory"])
def place(request, tmp_path) -> Place:
    if request.param == "local":
        folder = tmp_path / "my objects" / "é"
        return Place(f"file:{folder}", lambda: {_name(p, folder): p.read_bytes() for p in folder.rglob("*.*")})
    if request.param == "memory":
        uri = request.getfixturevalue("memory").place(f"store-{next(BUCKETS)}")
        return Place(uri, remembered("shelf", uri).copy)
    gcs, bucket = request.getfixturevalue("gcs"), request.getfixturevalue("bucket")
    prefix = "my objects/é"
    return Place(
        f"gs://{bucket}/{prefix}",
        lambda: {name.removeprefix(f"{prefix}/"): gcs.content(bucket, name) for name in gcs.objects(bucket)},
    )


def _name(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder))


@pytest.fixture
def any_store(place) -> Iterator[Store]:
    store = place.open()
    yield store
    store.close()
