import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from audiocrawler.warehouse import Options, Warehouse, open_warehouse
from audiocrawler.warehouse.bigquery.warehouse import BigQueryWarehouse
from audiocrawler.warehouse.warehouse import WAREHOUSES
from tests import memory
from tests.emulators.bigquery import BigQueryEmulator
from tests.warehouse.in_bigquery import InBigQuery

KINDS = ["sqlite", "bigquery", "memory"]
"""What the tests with ``warehouse`` ask holds for each; another one joins by a branch of its own in ``uri``."""

DATASETS = count()


@pytest.fixture
def bigquery(bigquery_emulator, monkeypatch) -> Iterator[BigQueryEmulator]:
    """Gives the BigQuery server that the official client will talk to."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_emulator.url)
    yield bigquery_emulator
    bigquery_emulator.denied = bigquery_emulator.unwanted = None
    bigquery_emulator.conflicts = 0


@pytest.fixture
def bigquery_uri(bigquery) -> str:
    return new_bigquery_uri()


def new_bigquery_uri() -> str:
    """Give the URI of a table in a dataset that is not there yet."""
    return f"bigquery://project/dataset_{os.getpid()}_{next(DATASETS)}/audio_metadata"


@pytest.fixture(params=KINDS)
def uri(request, tmp_path) -> str:
    if request.param == "bigquery":
        return str(request.getfixturevalue("bigquery_uri"))
    if request.param == "memory":
        return str(request.getfixturevalue("memory").place(f"warehouse-{next(DATASETS)}"))
    return f"sqlite:{tmp_path}/data/audio.db"


@pytest.fixture
def options(tmp_path) -> Options:
    return Options(outbox=Path(tmp_path, "outbox"), create=True, schemes=WAREHOUSES | memory.WAREHOUSES)


@contextmanager
def warehouse_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Warehouse]:
    """Give an empty warehouse of a kind in which a file writes all rows of its cases at once."""
    with pytest.MonkeyPatch.context() as patch:
        uri = f"sqlite:{folder}/audio.db"
        if kind == "bigquery":
            patch.setenv("BIGQUERY_EMULATOR_HOST", request.getfixturevalue("bigquery_emulator").url)
            uri = new_bigquery_uri()
        if kind == "memory":
            uri = request.getfixturevalue("memory").place(f"warehouse-{next(DATASETS)}")
        schemes = WAREHOUSES | memory.WAREHOUSES
        warehouse = open_shown(uri, Options(outbox=folder / "outbox", create=True, schemes=schemes))
        yield warehouse
        warehouse.close()


def open_shown(uri: str, options: Options) -> Warehouse:
    """Open a warehouse whose rows are in its tables when they are asked for, not in an outbox."""
    warehouse = open_warehouse(uri, options)
    return InBigQuery(warehouse, uri) if isinstance(warehouse, BigQueryWarehouse) else warehouse


@pytest.fixture
def opened(uri, options) -> Iterator[Callable[[], Warehouse]]:
    """Opens the warehouse, as often as asked; all of them are closed afterwards."""
    warehouses: list[Warehouse] = []

    def opened() -> Warehouse:
        warehouses.append(open_shown(uri, options))
        return warehouses[-1]

    yield opened
    for each in warehouses:
        each.close()


@pytest.fixture
def warehouse(opened: Callable[[], Warehouse]) -> Warehouse:
    return opened()
