"""Objects and pages over HTTP: ranges, hashes that are not there, other hosts, and that nothing can be changed."""

import csv
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest

from audiocrawler.warehouse import open_warehouse
from tests.browse.browsing import Served, browsing
from tests.export.collecting import collect, rows_of, tone

SOUND = tone(1)
PAGE = b"<html><script>document.title='owned'</script>"
HASH, PAGE_HASH = (sha256(content).hexdigest() for content in (SOUND, PAGE))
ELSEWHERE, GONE, OTHERS = "e" * 64, "d" * 64, "c" * 64


@dataclass(frozen=True, slots=True)
class Shelf:
    served: Served
    folder: Path


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("objects")
    sound = {"file_name": 'M"ö\r\nwe.wav', "content_type": "audio/wav"}
    collect(folder, [(SOUND, sound), (PAGE, {"content_type": "text/html"})])
    warehouse = open_warehouse(f"sqlite:{folder}/data/audio.db")
    here = (folder / "data/objects").as_uri()
    for digest, url in (
        (ELSEWHERE, "file:///etc/passwd"),
        (GONE, f"{here}/sha256/dd/dd/{GONE}.wav"),
        (OTHERS, f"file:///elsewhere/sha256/{HASH[:2]}/{HASH[2:4]}/{HASH}.wav"),
    ):
        found, at = rows_of(int(digest[0], 16), b"", sha256=digest, gcp_url=url)
        warehouse.upsert([at, found])
    warehouse.close()
    with browsing(folder) as running:
        yield Shelf(running, folder)


@pytest.mark.parametrize(
    ("asked", "status", "wanted"),
    [
        (None, 200, slice(None)),
        ("bytes=0-", 206, slice(None)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=10-999999999", 206, slice(10, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=-999999999", 206, slice(None)),
        (f"bytes={len(SOUND) - 1}-", 206, slice(-1, None)),
        ("bytes=0-1,5-6", 200, slice(None)),
        ("bytes=9-3", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
    ],
)
def test_ranges_are_answered_byte_by_byte(asked: str | None, status: int, wanted: slice, shelf: Shelf) -> None:
    headers = {"Range": asked} if asked else {}
    answer = shelf.served.ask(f"/-/audio/{HASH}", **headers)
    assert (answer.status, answer.body) == (status, SOUND[wanted])
    assert answer.headers["content-length"] == str(len(SOUND[wanted]))
    first = SOUND.index(SOUND[wanted]) if status == 206 else 0
    told = f"bytes {len(range(len(SOUND))[: wanted.start])}-" if wanted.start else "bytes 0-"
    assert answer.headers.get("content-range", told).startswith(told)
    assert first >= 0
    head = shelf.served.ask(f"/-/audio/{HASH}", "HEAD", **headers)
    assert (head.status, head.body) == (status, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize("asked", [f"bytes={len(SOUND)}-", "bytes=999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(asked: str, shelf: Shelf) -> None:
    answer = shelf.served.ask(f"/-/audio/{HASH}", Range=asked)
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(SOUND)}")


def test_a_range_of_another_version_is_the_whole_of_this_one(shelf: Shelf) -> None:
    of_this = shelf.served.ask(f"/-/audio/{HASH}", Range="bytes=1-2", If_Range=f'"{HASH}"')
    of_another = shelf.served.ask(f"/-/audio/{HASH}", Range="bytes=1-2", If_Range='"other"')
    assert (of_this.status, of_another.status, of_another.body) == (206, 200, SOUND)


def test_an_object_says_what_it_is_and_cannot_run(shelf: Shelf) -> None:
    sound, page = shelf.served.ask(f"/-/audio/{HASH}"), shelf.served.ask(f"/-/audio/{PAGE_HASH}")
    assert sound.headers["content-type"] == "audio/wav"
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.body == PAGE
    for answer in (sound, page):
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "sandbox allow-same-origin"} <= set(policy)
    assert sound.headers["content-disposition"].isprintable()
    assert "M%C3%B6" not in sound.headers["content-disposition"].partition("filename*")[0]


@pytest.mark.parametrize(
    "path",
    [
        *(f"/-/audio/{digest}" for digest in (ELSEWHERE, GONE, OTHERS, "0" * 64, HASH.upper(), f"{HASH}.wav")),
        *(f"/-/audio/{trick}" for trick in ("../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "", "/etc/passwd")),
        f"/-/audio/../audio/{HASH}/../../../data/audio.db",
        *(f"/looks/{trick}" for trick in ("../about.py", "%2e%2e/about.py", "..%2fabout.py", "/etc/passwd")),
        "/audio.db",
    ],
)
def test_what_is_no_hash_of_the_store_is_not_found(path: str, shelf: Shelf) -> None:
    answer = shelf.served.ask(path)
    while answer.status == 302:  # Datasette spells % anew
        answer = shelf.served.ask(answer.headers["location"])
    assert answer.status in {403, 404}
    assert b"root:" not in answer.body
    assert SOUND not in answer.body


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example:80", "", "[::2]", "0.0.0.0"]
)
def test_under_another_name_it_is_not_there(host: str, shelf: Shelf) -> None:
    for path in ("/", "/audio/files.json", f"/-/audio/{HASH}"):
        answer = shelf.served.ask(path, Host=host)
        assert answer.status in {400, 421}
        assert HASH.encode() not in answer.body


@pytest.mark.parametrize("host", ["localhost", "localhost:9000", "127.0.0.1:9000", "[::1]:9000", "LOCALHOST"])
def test_on_this_machine_and_through_a_tunnel_it_is(host: str, shelf: Shelf) -> None:
    assert shelf.served.ask("/audio/files.json", Host=host).status == 200


def test_other_sites_can_neither_embed_nor_read_nor_ask(shelf: Shelf) -> None:
    answer = shelf.served.ask("/audio/files", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")
    assert answer.status == 403
    followed = shelf.served.ask("/audio/files", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")
    assert followed.status == 200
    assert "frame-ancestors 'none'" in followed.headers["content-security-policy"]
    assert followed.headers["cross-origin-resource-policy"] == "same-origin"
    assert followed.headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in followed.headers


def test_only_this_machine_can_reach_it(shelf: Shelf) -> None:
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
    local = [line.split()[1] for line in lines if f":{shelf.served.port:04X} " in line and line.split()[3] == "0A"]
    assert local == [f"0100007F:{shelf.served.port:04X}"]


@pytest.mark.parametrize(
    "sql",
    [
        "delete from audio_metadata",
        "with x as (select 1) delete from audio_metadata",
        "with x as (select 1) insert into audio_crawls (crawl_id) select 'x' from x",
        "select 1; drop table audio_metadata",
        "attach database '/tmp/browse-attached.db' as x",
        "with x as (select 1) update audio_metadata set title = 'x'",
        "select load_extension('x')",
        "select writefile('/tmp/browse-written', 'x')",
        "pragma journal_mode = delete",
        "vacuum into '/tmp/browse-vacuumed.db'",
        "select length(zeroblob(900000000))",
    ],
)
def test_no_statement_changes_anything(sql: str, shelf: Shelf) -> None:
    with closing(sqlite3.connect(shelf.folder / "data/audio.db")) as database:
        before = list(database.iterdump())
        answer = shelf.served.ask(f"/audio.json?sql={quote(sql)}")
        assert json.loads(answer.body)["ok"] is False or answer.status >= 400
        assert list(database.iterdump()) == before
    assert not list(Path("/tmp").glob("browse-*"))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_there_is_nothing_but_reading(method: str, shelf: Shelf) -> None:
    assert shelf.served.ask("/audio/files", method).status == 405


def test_csv_has_every_row_with_the_address_of_its_waveform(shelf: Shelf) -> None:
    body = shelf.served.ask("/audio/files.csv?_stream=1&_nofacet=1").body.decode()
    rows = {row["sha256"]: row for row in csv.DictReader(body.splitlines())}
    assert {HASH, PAGE_HASH, ELSEWHERE, GONE, OTHERS} == rows.keys()
    address = rows[HASH]["waveform"].partition(f":{shelf.served.port}")[2]
    assert shelf.served.ask(address).body == bytes(range(200))


def test_a_file_has_a_page_of_its_own(shelf: Shelf) -> None:
    answer = shelf.served.ask(f"/audio/files/{HASH}")
    assert answer.status == 200
    assert f"/-/audio/{HASH}".encode() in answer.body
    assert shelf.served.ask(f"/audio/files/{'0' * 64}").status == 404


def test_an_endless_query_is_ended(shelf: Shelf) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    answer = shelf.served.ask(f"/audio.json?sql={quote(endless)}")
    assert answer.status == 400
    assert "took too long" in json.loads(answer.body)["title"] + json.loads(answer.body)["error"]
    assert shelf.served.ask("/audio/files.json").status == 200
