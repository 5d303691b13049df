"""Each check with the real thing that it looks at, whole and broken."""

import sqlite3
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from audiocrawler.doctor.check import Check, State
from audiocrawler.doctor.machine import of_chromium, of_decoder, of_disks, of_worker
from audiocrawler.doctor.network import of_network
from audiocrawler.doctor.packages import of_extra, of_required, python_within
from audiocrawler.doctor.places import of_places
from audiocrawler.doctor.redis_server import of_redis
from audiocrawler.model.locks import open_locked
from audiocrawler.model.proxies import Proxies, parse_proxy
from tests.chromium import require_chromium
from tests.cloud import Cloud
from tests.commands.collecting import Collection, collect
from tests.emulators.ports import free_port
from tests.emulators.redis_server import RedisServer
from tests.one_crawl import settings_in
from tests.strange_server import Wire, strange


def lines(checks: Iterator[Check]) -> list[str]:
    return [check.line() for check in checks]


def named(checks: Iterator[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return collect(tmp_path / "here", files=3)


def places_in(folder: Path, **changed: Any) -> Iterator[Check]:
    data = {"AUDIO_STORE": f"file:{folder}/data/objects", "AUDIO_WAREHOUSE": f"sqlite:{folder}/data/audio.db"}
    return of_places(settings_in(folder, **data | changed))


def test_versions_outside_their_bounds_are_named_with_the_command_that_mends_them() -> None:
    assert python_within(">=3.11", "3.10.4").line().startswith("broken   python      3.10.4 is outside >=3.11: make")
    (check,) = of_required([Requirement("pytest>=999"), Requirement("scrapy")])
    assert (check.state, check.remedy) == (State.BROKEN, "pip install 'pytest>=999'")
    assert "is outside >=999" in check.found
    (check,) = of_required([Requirement("no-such-package>=1")])
    assert check.line() == "broken   packages    no-such-package is not installed: pip install 'no-such-package>=1'"
    extra = of_extra("gcp", [Requirement("no-such-package"), Requirement("scrapy")])
    assert extra.line() == "missing  [gcp]       no-such-package not installed: pip install 'audiocrawler[gcp]'"
    assert of_extra("gcp", [Requirement("scrapy<1")]).state is State.BROKEN


def test_decoder_and_worker_do_their_work(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [of_decoder().state, of_worker().state] == [State.OK, State.OK]
    monkeypatch.setattr("audiocrawler.doctor.machine.DECODERS", ("flac", "no_such_codec"))
    assert of_decoder().line().startswith("broken   decoder     lacks no_such_codec: pip install")
    monkeypatch.setattr("audiocrawler.analysis.pool.sys.executable", "/nowhere/python")
    assert of_worker().state is State.BROKEN


def test_a_disk_without_room_and_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    places = [("AUDIO_STORE", tmp_path / "new/objects"), ("AUDIO_INCOMING", tmp_path / "incoming")]
    (check,) = of_disks(places, 0)  # both are on one disk
    assert check.state is State.OK
    (check,) = of_disks(places, 2**62)
    assert check.state is State.BROKEN
    assert "free some space" in check.remedy
    (check,) = of_disks([("AUDIO_LOG_DIR", tmp_path / "file/logs")], 0)
    assert f"AUDIO_LOG_DIR={tmp_path}/file/logs: {tmp_path}/file is no folder" in check.found
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_browser_that_starts_and_one_that_does_not() -> None:
    assert of_chromium(require_chromium()).state is State.OK
    assert of_chromium("/bin/false").line().startswith("broken   chromium    /bin/false does not start (exit code 1): ")


def test_a_collection_in_its_place_is_well(collection: Collection) -> None:
    checks = list(places_in(collection.folder))
    assert {check.state for check in checks} == {State.OK}
    assert "3 files; not in use" in named(iter(checks), "database").found
    assert named(iter(checks), "objects").found == "of 3 rows looked at are where the rows say"


def test_what_mends_a_moved_collection_mends_it(collection: Collection, tmp_path: Path) -> None:
    moved = collection.folder.rename(tmp_path / "there")
    check = named(places_in(moved), "objects")
    assert check.state is State.BROKEN
    assert check.found.startswith("3 of 3 rows looked at name the place where the store was before")
    words = check.remedy.split()
    assert words[0] == "scrapy"
    assert Collection(moved).run(*words[1:]).code == 0
    assert named(places_in(moved), "objects").state is State.OK


def test_objects_that_are_missing(collection: Collection) -> None:
    collection.path_of(collection.audio()[0]).unlink()
    check = named(places_in(collection.folder), "objects")
    assert (check.state, check.remedy) == (State.BROKEN, "scrapy verify")
    assert check.found.startswith("of 1 of 3 rows")


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert [line.split()[0] for line in lines(places_in(tmp_path))] == ["ok", "ok"]
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_others_hold_or_that_is_none(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = collection.folder / "data/audio.db"
    crawl = open_locked(path.with_name("audio.db.in-use"), shared=True)
    assert "in use by process " in named(places_in(collection.folder), "database").found
    assert crawl is not None
    crawl.close()
    monkeypatch.setattr("audiocrawler.doctor.places.BUSY_S", 0.1)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    check = named(places_in(collection.folder), "database")
    holder.close()
    assert (check.state, check.remedy) == (State.BROKEN, "end the transaction of the other program")
    other = tmp_path / "text.db"
    other.write_text("no database " * 100)
    check = named(places_in(collection.folder, AUDIO_WAREHOUSE=f"sqlite:{other}"), "database")
    assert (check.state, check.remedy) == (State.BROKEN, "move the file away")


def test_a_bucket_and_a_dataset(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.env.items():
        monkeypatch.setenv(name, value)
    there = {"AUDIO_STORE": f"gs://{cloud.bucket}/audio", "AUDIO_WAREHOUSE": cloud.uri, "AUDIO_BIGQUERY_CREATE": True}
    there["AUDIO_OUTBOX"] = str(tmp_path / "outbox")
    checks = list(places_in(tmp_path, **there))
    assert {check.state for check in checks} == {State.OK}, lines(iter(checks))
    assert [check.name for check in checks] == ["credentials", "credentials", "store", "database"]
    checks = list(places_in(tmp_path, **there | {"AUDIO_STORE": "gs://no-such-bucket/audio"}))
    assert "gcloud storage buckets create gs://no-such-bucket" in named(iter(checks), "store").found
    assert named(iter(checks), "database").state is State.OK


def test_a_key_file_that_is_none(tmp_path: Path) -> None:
    (check,) = places_in(tmp_path, AUDIO_STORE="gs://bucket", AUDIO_GCP_KEY_FILE=str(tmp_path / "key.json"))
    assert (check.name, check.state) == ("credentials", State.BROKEN)
    assert "AUDIO_GCP_KEY_FILE" in check.found


def test_redis_keeps_what_it_has_confirmed_or_not(redis_server: RedisServer) -> None:
    assert [check.state for check in of_redis(redis_server.url)] == [State.OK, State.OK]
    redis_server.client.config_set("appendonly", "no")
    redis_server.client.config_set("maxmemory-policy", "allkeys-lru")
    _, first, second = of_redis(redis_server.url)
    assert first.found == "appendonly no: nothing is kept when it ends"
    assert first.remedy.startswith("redis-cli CONFIG SET appendonly yes")
    assert second.remedy.startswith("redis-cli CONFIG SET maxmemory-policy noeviction")
    redis_server.client.config_set("save", "60 1")
    assert "only snapshots are kept (save 60 1)" in list(of_redis(redis_server.url))[1].found
    redis_server.client.acl_setuser("guest", enabled=True, nopass=True, commands=["+@all", "-config"], keys=["*"])
    guest = redis_server.url.replace("//", "//guest:any@")
    assert [check.state for check in of_redis(guest)] == [State.OK, State.MISSING]
    redis_server.stop()
    (check,) = of_redis(guest)
    assert check.state is State.BROKEN
    assert "any@" not in check.found
    redis_server.start()


def test_what_a_setting_needs_and_no_package_gives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("redis", "google.auth", "google.oauth2", "google.auth.credentials"):
        monkeypatch.setitem(sys.modules, name, None)
    (check,) = of_redis("redis://127.0.0.1:6379/0")
    assert (check.state, check.remedy) == (State.BROKEN, "pip install 'audiocrawler[redis]'")
    (check,) = places_in(tmp_path, AUDIO_STORE="gs://bucket/audio")
    assert (check.state, check.remedy) == (State.BROKEN, "pip install 'audiocrawler[gcp]'")


def proxies(url: str) -> Proxies:
    return Proxies({"http": parse_proxy(url, "http_proxy")})


@pytest.mark.parametrize(("off_s", "state"), [(0, State.OK), (-7200, State.BROKEN), (7200, State.BROKEN)])
def test_the_clock_is_compared_through_the_proxy(off_s: int, state: State) -> None:
    def answer(wire: Wire, path: str) -> None:
        wire.body("", f"Date: {formatdate(time.time() + off_s, usegmt=True)}")

    with strange(answer) as server:
        proxy, clock = of_network(proxies(server.url), "agent")
    assert (proxy.state, clock.state) == (State.OK, state)
    assert ("fast" in clock.found) is (off_s < 0)


def test_a_proxy_that_takes_no_connections() -> None:
    (check,) = of_network(proxies(f"http://me:secret@127.0.0.1:{free_port()}"), "agent")
    assert (check.name, check.state) == ("proxy", State.BROKEN)
    assert "refused" in check.found
    assert "secret" not in check.line()


def test_names_are_looked_up_where_no_proxy_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocrawler.doctor.network.HOST", "no-such-host.invalid")
    (check,) = of_network(Proxies({}), "agent")
    assert (check.name, check.state is State.OK) == ("dns", False)
