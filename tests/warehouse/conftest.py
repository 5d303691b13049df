from collections.abc import Callable, Iterator
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
    """Gives the URI of a table in a dataset that is not there yet."""
    return f"bigquery://project/dataset_{next(DATASETS)}/audio_metadata"


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


@pytest.fixture
def opened(uri, options) -> Iterator[Callable[[], Warehouse]]:
    """Opens the warehouse, as often as asked; all of them are closed afterwards. What is asked of one is asked of its
    tables: rows do not stay in an outbox.
    """
    warehouses: list[Warehouse] = []

    def opened() -> Warehouse:
        warehouse = open_warehouse(uri, options)
        if isinstance(warehouse, BigQueryWarehouse):
            warehouse = InBigQuery(warehouse, uri)
        warehouses.append(warehouse)
        return warehouse

    yield opened
    for each in warehouses:
        each.close()


@pytest.fixture
def warehouse(opened: Callable[[], Warehouse]) -> Warehouse:
    return opened()
