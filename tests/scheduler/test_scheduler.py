"""What the scheduler does where a request, a spider or Scrapy itself is not as it should be."""

import sqlite3
import time
from collections import Counter
from pathlib import Path

from tests.crawling import crawl, finish, start
from tests.site.answers import Options
from tests.site.server import Site
from tests.strange_server import Wire, strange
from tests.test_kill import wait_until

DEADLY = """
import asyncio, os, signal
from audiocrawler.scheduler.scheduler import FrontierScheduler
class Deadly(FrontierScheduler):
    def next_request(self):
        request = super().next_request()
        if request is not None and request.url.endswith({path!r}):
            asyncio.get_running_loop().call_later(0.3, os.kill, os.getpid(), signal.SIGKILL)
        return request
"""
LAMBDAS = """
from audiocrawler.spiders.audio import AudioSpider
class Mine(AudioSpider):
    name = 'mine'
    async def parse(self, response):
        for _ in range(2):
            yield response.follow('/shore.html', lambda page: print('came to', page.url), meta={'x': object()})
"""


def test_a_request_that_ends_the_process_again_and_again_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text(DEADLY.format(path="/tone-01.wav"), encoding="utf-8")
    with Site(Options(many_files=3, many_delay_s=1.0)) as site:
        settings = {"SCHEDULER": "deadly.Deadly"}
        killed = finish(start(tmp_path, f"url={site.url}/many/", settings=settings), tmp_path)
        assert killed.code == -9
        with sqlite3.connect(tmp_path / "data/frontier.db") as database:
            assert database.execute("SELECT max(starts) FROM requests").fetchone() == (1,)
            database.execute("UPDATE requests SET starts = 5 WHERE body LIKE '%tone-01.wav%' AND starts = 1")
        run = crawl(tmp_path, f"url={site.url}/many/")
    assert run.code == 0
    row = run.sources[f"{site.url}/many/tone-01.wav"]
    assert row["status"] == "failed"
    assert row["reason"] == "dead letter: 5 processes ended while working on it"
    assert Counter(each["status"] for each in run.sources.values()) == {"failed": 1, "stored": 2}


def test_a_request_that_the_frontier_holds_damaged_is_told_at_the_end(tmp_path: Path) -> None:
    with Site(Options(many_files=3)) as site:
        start_url = f"url={site.url}/many/"
        assert crawl(tmp_path, start_url, settings={"CLOSESPIDER_PAGECOUNT": 1}).code == 4
        with sqlite3.connect(tmp_path / "data/frontier.db") as database:
            changed = database.execute("UPDATE requests SET body = '{' WHERE body LIKE '%tone-01.wav%'").rowcount
        run = crawl(tmp_path, start_url)
    assert (changed, run.code) == (1, 4)
    assert "an invalid request in the frontier was discarded (" in run.stderr


def test_requests_that_cannot_be_written_down_are_kept_while_the_process_lasts(site: Site, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(LAMBDAS, encoding="utf-8")
    run = crawl(tmp_path, f"url={site.url}/about.html", command=("runspider", "mine.py"))
    assert run.stdout.count("came to") == 1
    assert "such requests are kept in memory and lost if this process ends" in run.stderr


def test_pages_wait_while_very_many_files_do(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        if path == "/":
            links = [*(f"/{number}.wav" for number in range(5090)), *(f"/{number}.html" for number in range(60))]
            wire.body("".join(f'<a href="{link}">x</a>' for link in links))
        elif path.endswith(".wav"):
            time.sleep(0.3)
            wire.body("", status="404 Not Found")
        else:
            wire.body("", status="404 Not Found" if path == "/robots.txt" else "200 OK")

    def files_between_pages() -> int:
        order = "".join("f" if path.endswith(".wav") else " " for _, path, _ in server.requests)
        return max(map(len, order.split(" ")))

    with strange(answer) as server:
        process = start(tmp_path, f"url={server.url}/", "depth=1", settings={"DOWNLOAD_DELAY": "0.2"})
        wait_until(lambda: files_between_pages() >= 30 or len(server.times_s("/59.html")) > 0)
        process.terminate()
        finish(process, tmp_path)
    assert files_between_pages() >= 30  # otherwise a few files are asked for in the delay of a page


def test_a_crawl_in_memory_leaves_no_frontier(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/shore.html", settings={"AUDIO_FRONTIER": "memory"})
    assert run.code == 0
    assert len(run.objects) == 2
    assert list(tmp_path.glob("data/frontier*")) == []


def test_a_frontier_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database, and more than a few bytes of it" * 100, encoding="utf-8")
    run = crawl(tmp_path, "url=http://127.0.0.1:9/", settings={"AUDIO_FRONTIER": "sqlite:file"})
    assert run.code == 2
    assert "set AUDIO_FRONTIER to another file" in run.stderr
