"""What tests of all parts share: the site, one crawl of the whole of it, and a disk that is soon full."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import NO_CHROMIUM
from tests.cloud import Cloud, new_cloud
from tests.crawling import REPOSITORY, Run, crawl
from tests.emulators.bigquery import BigQueryEmulator
from tests.emulators.gcs import GcsEmulator
from tests.emulators.redis_server import RedisServer
from tests.memory import Memory
from tests.sharing import group_of, place_of
from tests.site.server import Site

collect_ignore = ["formats"]
"""They need libraries that are not installed here: `make test-formats` runs them."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that a part is not tested."""
    skipped = sum(NO_CHROMIUM in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if skipped:
        terminalreporter.section(f"NO CHROMIUM: {NO_CHROMIUM} ({skipped} tests)", sep="!", red=True, bold=True)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let one process of xdist run all tests that share a crawl."""
    from xdist.scheduler import LoadScopeScheduling

    class ByWhatIsShared(LoadScopeScheduling):  # type: ignore[misc] # xdist ships no types
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid, REPOSITORY)

    return ByWhatIsShared(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes long where several processes run the tests: none of them waits long for another then."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: place_of(item.nodeid, REPOSITORY))


@pytest.fixture
def site() -> Iterator[Site]:
    """Return a site of the test's own."""
    with Site() as served:
        yield served


@pytest.fixture(scope="session")
def whole_site() -> Iterator[Site]:
    """Return the site that ``whole_crawl`` has crawled."""
    with Site() as served:
        yield served


@pytest.fixture(scope="session")
def whole_crawl(whole_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a crawl of all pages of the site."""
    folder: Path = tmp_path_factory.mktemp("whole")
    return crawl(folder, f"url={whole_site.url}/", "depth=3")


@pytest.fixture(scope="session")
def gcs_emulator() -> Iterator[GcsEmulator]:
    """Return a Cloud Storage server on loopback."""
    with GcsEmulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def bigquery_emulator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BigQueryEmulator]:
    """Return a BigQuery server on loopback; the processes of xdist have one emulator behind them all."""
    is_one_of_several = hasattr(request.config, "workerinput")
    with BigQueryEmulator(tmp_path_factory.getbasetemp().parent if is_one_of_several else None) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def memory() -> Iterator[Memory]:
    with Memory() as running:
        yield running


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """Return a Redis server of the test's own."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def cloud(
    gcs_emulator: GcsEmulator, bigquery_emulator: BigQueryEmulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cloud]:
    """Return a bucket and a dataset of the test's own, each behind a proxy that can fail."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_emulator.url)  # for the test's own look at the tables
    with new_cloud(gcs_emulator, bigquery_emulator) as made:
        yield made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of 256 KiB of its own; only root can mount one."""
    folder = tmp_path / "small-disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a full disk cannot be had here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
