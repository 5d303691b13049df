"""The frontiers that the same tests are run against."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audiocrawler.frontier import Frontier, Start, open_frontier
from tests.emulators.redis_server import RedisServer

Opener = Callable[..., Frontier]
"""Opens the frontier of a crawl: its identity, and whether it starts over."""


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "redis"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return "memory"
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/frontier.db"
    server: RedisServer = request.getfixturevalue("redis_server")
    server.client.flushall()
    return server.url


@pytest.fixture
def opened(uri: str) -> Iterator[Opener]:
    frontiers: list[Frontier] = []

    def opener(identity: str = "a", *, fresh: bool = False, lease_s: float = 60.0) -> Frontier:
        frontiers.append(open_frontier(uri, Start(identity, f"crawl-{len(frontiers)}", fresh, lease_s)))
        return frontiers[-1]

    yield opener
    for frontier in frontiers:
        frontier.close()
