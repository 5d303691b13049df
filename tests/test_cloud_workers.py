"""Workers on one Redis that write to BigQuery: a request is done only when its rows are sent, and machines may go."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.cloud import Cloud, waiting_rows
from tests.crawling import finish, start
from tests.emulators.fault_proxy import Action, Fault
from tests.emulators.redis_server import RedisServer
from tests.site.answers import Options
from tests.site.server import Site
from tests.test_kill import kill, tones, wait_until

FILES = 24
SLOW = Options(many_delay_s=0.4, many_files=FILES)
LEASE_S = 2
SENT_AT_THE_END = {"AUDIO_FLUSH_SECONDS": "600"}
SENT_SOON = {"AUDIO_FLUSH_SECONDS": "1"}


@pytest.fixture
def machines(tmp_path: Path) -> tuple[Path, Path]:
    """Return the folders of two workers that share no disk."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    return one, two


def env_of(cloud: Cloud, server: RedisServer, flushes: dict[str, str]) -> dict[str, str]:
    return {**cloud.env, "AUDIO_FRONTIER": server.url, "AUDIO_LEASE_S": str(LEASE_S), **flushes}


def assert_complete(cloud: Cloud) -> None:
    """Hold what is in the cloud to what an undisturbed crawl leaves there."""
    assert len(cloud.audio) == FILES
    assert cloud.hashes() == {row.gcp_url: row.sha256 for row in cloud.audio}
    assert Counter(row.status for row in cloud.sources.values()) == {"stored": FILES}


def test_a_machine_that_is_lost_with_its_outbox_loses_nothing(
    cloud: Cloud, redis_server: RedisServer, machines: tuple[Path, Path]
) -> None:
    one, two = machines
    env = env_of(cloud, redis_server, SENT_AT_THE_END)
    with Site(SLOW) as site:
        worker = start(one, f"url={site.url}/many/", env=env)
        wait_until(lambda: len(cloud.hashes()) >= 8 and waiting_rows(one) >= FILES + 8)
        kill(worker)
        shutil.rmtree(one)
        assert cloud.tables() == set() or cloud.audio == []
        run = finish(start(two, f"url={site.url}/many/", env=env), two)
    assert run.code == 0, run.stderr
    assert f"stored      {FILES} files" in run.stdout
    assert_complete(cloud)


def test_rows_that_were_sent_are_not_worked_for_again_when_their_machine_is_lost(
    cloud: Cloud, redis_server: RedisServer, machines: tuple[Path, Path]
) -> None:
    one, two = machines
    env = env_of(cloud, redis_server, SENT_SOON) | {"AUDIO_MEDIA_PER_HOST": str(FILES)}
    with Site(Options(many_files=FILES, many_answered=8)) as site:
        worker = start(one, f"url={site.url}/many/", env=env)
        wait_until(lambda: len(tones(site)) == FILES)
        wait_until(lambda: open_requests(redis_server) == FILES - 8)  # the rows of eight are sent, and that is known
        kill(worker)
        stored = stored_paths(cloud, site)
        shutil.rmtree(one)
        site.options = SLOW
        run = finish(start(two, f"url={site.url}/many/", env=env), two)
        asked = tones(site)
    assert run.code == 0, run.stderr
    assert f"stored      {FILES} files" in run.stdout
    assert_complete(cloud)
    assert len(stored) == 8
    assert {path: asked[path] for path in stored} == dict.fromkeys(stored, 1)


def open_requests(server: RedisServer) -> int:
    """Return how many requests of the only crawl are not done with."""
    return sum(int(server.client.hlen(key)) for key in server.client.scan_iter("audiocrawler:*:data"))


def stored_paths(cloud: Cloud, site: Site) -> set[str]:
    return {url.removeprefix(site.url) for url, row in cloud.sources.items() if row.status == "stored"}


def test_leases_last_while_rows_wait_and_the_last_worker_sends_them(
    cloud: Cloud, redis_server: RedisServer, machines: tuple[Path, Path]
) -> None:
    env = env_of(cloud, redis_server, SENT_AT_THE_END)
    with Site(SLOW) as site:
        workers = [start(folder, f"url={site.url}/many/", env=env) for folder in machines]
        for worker, folder in zip(workers, machines, strict=True):
            run = finish(worker, folder)
            assert run.code == 0, run.stderr
            assert f"stored      {FILES} files" in run.stdout
        asked_s = [r.at_s for r in site.requests if "tone" in r.path]
        assert set(tones(site).values()) == {1}
    assert max(asked_s) - min(asked_s) > LEASE_S / 2
    assert_complete(cloud)


def test_what_bigquery_did_not_take_at_the_end_is_sent_by_the_same_command(
    cloud: Cloud, redis_server: RedisServer, machines: tuple[Path, Path]
) -> None:
    one, _ = machines
    env = env_of(cloud, redis_server, SENT_AT_THE_END)
    with Site(SLOW) as site:
        worker = start(one, f"url={site.url}/many/", env=env)
        wait_until(lambda: sum(tones(site).values()) > 0)
        cloud.bigquery.faults = [Fault(Action.FORBIDDEN, "POST ", times=None)]
        first = finish(worker, one, 300)
        cloud.bigquery.faults = []
        second = finish(start(one, f"url={site.url}/many/", env=env), one)
        assert set(tones(site).values()) == {1}
    assert first.code == 4
    assert "resuming" in second.stderr
    assert second.code == 0, second.stderr
    assert_complete(cloud)
