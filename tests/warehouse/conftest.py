from collections.abc import Callable, Iterator

import pytest

from audiocrawler.warehouse import Warehouse, open_warehouse

WAREHOUSES = ["sqlite"]
"""What the tests with ``warehouse`` ask holds for each; another one joins by a branch of its own in ``uri``."""


@pytest.fixture(params=WAREHOUSES)
def uri(request, tmp_path) -> str:
    assert request.param == "sqlite"
    return f"sqlite:{tmp_path}/data/audio.db"


@pytest.fixture
def opened(uri) -> Iterator[Callable[[], Warehouse]]:
    """Opens the warehouse, as often as asked; all of them are closed afterwards."""
    warehouses: list[Warehouse] = []

    def opened() -> Warehouse:
        warehouses.append(open_warehouse(uri))
        return warehouses[-1]

    yield opened
    for each in warehouses:
        each.close()


@pytest.fixture
def warehouse(opened: Callable[[], Warehouse]) -> Warehouse:
    return opened()
