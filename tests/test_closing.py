"""What goes wrong while a crawl closes: nothing is lost, and neither exit code nor record says that all is well."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol, Self, TypeVar

from scrapy import signals
from scrapy.crawler import Crawler

from audiocrawler.crawl.crawl import Crawl
from audiocrawler.crawl.lifecycle import crawl_of
from audiocrawler.settings import EXTENSIONS
from audiocrawler.warehouse import FlushResult
from tests.crawling import Run, crawl, finish, start
from tests.emulators.redis_server import RedisServer
from tests.site.answers import Options
from tests.site.server import Site
from tests.test_kill import tones, wait_until

FILES = 6
SITE = Options(many_files=FILES)


class BreaksTheEnd:
    """An extension: the first thing that a crawl does to close fails."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return on_open(crawler, cls)

    def change(self, crawl: Crawl) -> None:
        close = crawl.analysis.close

        async def failing() -> None:
            await close()
            raise RuntimeError("no more of this")

        crawl.analysis.close = failing  # type: ignore[method-assign]


class WaitsAfterTheCount:
    """An extension: when a crawl has counted what is left, it says so by a file, and goes on when another is there."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return on_open(crawler, cls)

    def change(self, crawl: Crawl) -> None:
        finish = crawl.flusher.finish

        async def waiting() -> FlushResult:
            await asyncio.to_thread(hold)
            return await finish()

        crawl.flusher.finish = waiting  # type: ignore[method-assign]


def hold() -> None:
    Path("counted").touch()
    wait_until(Path("go").exists)


class Extension(Protocol):
    def change(self, crawl: Crawl) -> None: ...


E = TypeVar("E", bound=Extension)


def on_open(crawler: Crawler, kind: type[E]) -> E:
    """Return the extension, which changes the crawl when it is open."""
    extension = kind()
    crawler.signals.connect(lambda: extension.change(crawl_of(crawler)), signal=signals.spider_opened, weak=False)
    return extension


def with_extension(kind: type[Extension]) -> dict[str, str]:
    return {"EXTENSIONS": json.dumps(EXTENSIONS | {f"{__name__}.{kind.__name__}": 900})}


def recorded(run: Run) -> list[tuple[int, int]]:
    """Return the exit codes in the table of crawls, with what each has stored."""
    with closing(sqlite3.connect(run.folder / "data/audio.db")) as database:
        return database.execute("SELECT exit_code, stored FROM audio_crawls ORDER BY started_at").fetchall()


def test_an_exception_before_requests_are_counted_is_told_and_the_rest_is_closed(tmp_path: Path) -> None:
    with Site(SITE) as site:
        run = crawl(tmp_path, f"url={site.url}/many/", settings=with_extension(BreaksTheEnd))
        assert (run.code, len(run.audio), len(run.objects)) == (4, FILES, FILES)
        assert "could not be closed in order (RuntimeError: no more of this); run the same command again" in run.stderr
        assert recorded(run) == [(4, FILES)]
        again = crawl(tmp_path, f"url={site.url}/many/")
    assert again.code == 0, again.stderr
    assert {row["status"] for row in again.sources.values()} == {"unchanged"}
    assert recorded(again) == [(4, FILES), (0, 0)]


def test_redis_gone_after_the_count_is_told_and_nothing_is_asked_for_again(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    settings = {"AUDIO_FRONTIER": redis_server.url, "AUDIO_LEASE_S": "2"}
    with Site(SITE) as site:
        process = start(tmp_path, f"url={site.url}/many/", settings=settings | with_extension(WaitsAfterTheCount))
        wait_until((tmp_path / "counted").exists)
        redis_server.stop()
        (tmp_path / "go").touch()
        run = finish(process, tmp_path)
        redis_server.start()
        assert (run.code, len(run.audio)) == (4, FILES)
        assert "does not answer" in run.stderr
        assert recorded(run) == [(4, FILES)]
        again = crawl(tmp_path, f"url={site.url}/many/", settings=settings)
        assert set(tones(site).values()) == {1}
    assert again.code == 0, again.stderr
    assert re.search("(resuming|joining) the crawl", again.stderr)  # the lost run's lease may not have expired yet
    assert {row["status"] for row in again.sources.values()} == {"stored"}
