import pytest

from tests.commands.collecting import Collection
from tests.export.collecting import collect, ordinary


@pytest.fixture(scope="session")
def collection(tmp_path_factory) -> Collection:
    """Return a collection that no test changes."""
    return collect(tmp_path_factory.mktemp("collection"), ordinary())
