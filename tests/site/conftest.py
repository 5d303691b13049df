from collections.abc import Iterator

import pytest

from tests.site.answers import Options
from tests.site.server import Site


@pytest.fixture
def site() -> Iterator[Site]:
    with Site(Options(slow_s=0.6, many_files=80, radio_s=0.5)) as running:
        yield running
