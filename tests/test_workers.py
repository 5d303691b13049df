"""Several workers on one Redis: they share a crawl, and it outlives each of them and the server."""

import time
from collections import Counter
from pathlib import Path

from tests.crawling import Run, crawl, finish, start
from tests.emulators.redis_server import RedisServer
from tests.site.answers import Options
from tests.site.server import Site
from tests.strange_server import Wire, strange
from tests.test_kill import TONES, kill, rows_in, stored_urls, tones, wait_for_end_of_workers, wait_for_more, wait_until
from tests.test_manners import gaps_s

LEASE_S = "3"
PAUSE_S = 4
HEARD_S = 2.5
"""By then each worker of a busy machine, too, has heard of a pause; without one, pages would be left for longer."""


def settings_of(server: RedisServer) -> dict[str, str]:
    return {"AUDIO_FRONTIER": server.url, "AUDIO_LEASE_S": LEASE_S}


def assert_complete(run: Run, site: Site, stored: set[str]) -> None:
    """Hold the outcome to that of an undisturbed crawl; ``stored`` are URLs that were to be asked for only once."""
    assert run.code == 0, run.stderr
    assert {path.stem for path in run.objects} == {row["sha256"] for row in run.audio} == TONES
    assert len(run.objects) == len(run.audio)
    assert Counter(row["status"] for row in run.sources.values()) == {"stored": len(TONES)}
    assert [path for path, count in tones(site).items() if count > 1 and site.url + path in stored] == []


def test_two_workers_share_a_crawl_and_end_together(redis_server: RedisServer, tmp_path: Path) -> None:
    settings = settings_of(redis_server) | {"AUDIO_MEDIA_PER_HOST": "40", "AUDIO_MAX_FILES_IN_FLIGHT": "4"}
    with Site(Options(many_delay_s=0.5)) as site:
        workers = [start(tmp_path, f"url={site.url}/many/", settings=settings) for _ in range(2)]
        runs = [finish(worker, tmp_path) for worker in workers]
    for run in runs:
        assert_complete(run, site, set(runs[0].sources))
        assert f"stored      {len(TONES)} files" in run.stdout
    assert site.count("/many/") == 1
    assert sorted("joining the crawl started at" in run.stderr for run in runs) == [False, True]
    assert all("resuming" not in run.stderr for run in runs)
    assert sum(log.count(": stored as ") > 0 for log in logs(tmp_path)) == 2
    (record,) = (tmp_path / "data/crawls").iterdir()
    named = {path.name for path in (tmp_path / "data/logs").iterdir()}
    assert named == {f"{record.stem}.log", f"{record.stem}.2.log"}


def wait_for_rows(folder: Path, count: int) -> set[str]:
    """Return the URLs that are stored when there are so many."""
    wait_until(lambda: rows_in(folder) >= count)
    return stored_urls(folder)


def logs(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in folder.glob("data/logs/*")]


def test_a_killed_worker_loses_nothing_while_another_goes_on(redis_server: RedisServer, tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.2)) as site:
        workers = [start(tmp_path, f"url={site.url}/many/", settings=settings_of(redis_server)) for _ in range(2)]
        stored = wait_for_rows(tmp_path, 12)
        kill(workers[0])
        run = finish(workers[1], tmp_path)
        at_s = [r.at_s for r in site.requests if "tone" in r.path]
    assert_complete(run, site, stored)
    for first, fifth in zip(at_s, at_s[4:], strict=False):
        assert fifth - first >= 0.19  # four files of a host at a time, over both workers


def test_all_workers_killed_and_the_server_restarted_lose_nothing(redis_server: RedisServer, tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.1)) as site:
        workers = [start(tmp_path, f"url={site.url}/many/", settings=settings_of(redis_server)) for _ in range(2)]
        stored = wait_for_rows(tmp_path, 12)
        for worker in workers:
            kill(worker)
        wait_for_end_of_workers(tmp_path)
        redis_server.stop()
        redis_server.start()
        run = crawl(tmp_path, f"url={site.url}/many/", settings=settings_of(redis_server))
    assert "the crawl started at" in run.stderr
    assert_complete(run, site, stored)


def test_workers_wait_for_a_server_that_is_away(redis_server: RedisServer, tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.1)) as site:
        worker = start(tmp_path, f"url={site.url}/many/", settings=settings_of(redis_server))
        wait_for_more(site, 12)
        redis_server.stop()
        time.sleep(2)
        redis_server.start()
        run = finish(worker, tmp_path)
    assert "; retrying" in run.log
    assert_complete(run, site, set(run.sources))


def test_two_workers_keep_the_crawl_delay_of_one_for_pages_and_files(
    redis_server: RedisServer, site: Site, tmp_path: Path
) -> None:
    arguments = f"url={site.second_url}/", "depth=1"
    workers = [start(tmp_path, *arguments, settings=settings_of(redis_server)) for _ in range(2)]
    assert [finish(worker, tmp_path).code for worker in workers] == [0, 0]
    on_second = [r for r in site.requests if r.url.startswith(site.second_url) and r.path != "/robots.txt"]
    assert any(r.path.startswith("/audio/") for r in on_second)
    assert len(on_second) > 4
    gaps = gaps_s([r.at_s for r in on_second])
    assert sum(gaps) / len(gaps) >= 0.85  # what a busy machine delays brings the next one nearer


def test_all_workers_keep_the_pause_that_one_was_asked_for(redis_server: RedisServer, tmp_path: Path) -> None:
    asked_at: list[float] = []

    def answer(wire: Wire, path: str) -> None:
        pages_so_far = sum(asked.endswith(".html") for _, asked, _ in server.requests)
        if path.endswith(".html") and pages_so_far > 8 and not asked_at:
            asked_at.append(time.monotonic())
            wire.body("", f"Retry-After: {PAUSE_S}", status="429 Too Many Requests")
        elif path == "/robots.txt":
            wire.body("", status="404 Not Found")
        else:
            wire.body("".join(f'<a href="/{number}.html">page</a>' for number in range(50)))

    settings = settings_of(redis_server) | {"DOWNLOAD_DELAY": "0.1", "LOG_LEVEL": "DEBUG"}
    with strange(answer) as server:
        workers = [start(tmp_path, f"url={server.url}/", "depth=1", settings=settings) for _ in range(2)]
        for worker in workers:
            finish(worker, tmp_path)
    pages = server.times_s("/")
    assert all(log.count(f"Crawled (200) <GET {server.url}/") for log in logs(tmp_path))
    assert len([at_s for at_s in pages if at_s > asked_at[0] + PAUSE_S]) > 5  # without a pause, none are left
    assert [at_s for at_s in pages if HEARD_S < at_s - asked_at[0] < PAUSE_S - 0.3] == []


def test_workers_together_take_no_more_files_than_the_limit(redis_server: RedisServer, tmp_path: Path) -> None:
    settings = settings_of(redis_server) | {"AUDIO_MEDIA_PER_HOST": "40", "AUDIO_MAX_FILES_IN_FLIGHT": "4"}
    with Site(Options(many_delay_s=0.5)) as site:
        workers = [start(tmp_path, f"url={site.url}/many/", "limit=60", settings=settings) for _ in range(2)]
        runs = [finish(worker, tmp_path) for worker in workers]
    assert [run.code for run in runs] == [0, 0]
    assert len(runs[0].objects) == len(runs[0].audio) == sum(tones(site).values()) == 60
    assert Counter(row["status"] for row in runs[0].sources.values()) == {"stored": 60, "limit": len(TONES) - 60}
    assert all(log.count(": stored as ") > 0 for log in logs(tmp_path))


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    run = crawl(tmp_path, "url=http://127.0.0.1:9/", settings={"AUDIO_FRONTIER": "redis://user:hush@127.0.0.1:9/0"})
    assert run.code == 2
    assert "check AUDIO_FRONTIER" in run.stderr
    assert "hush" not in run.stderr
