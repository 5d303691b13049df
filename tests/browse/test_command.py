"""``scrapy browse``: when it begins, when it does not, what it sees of a running crawl, and how it ends."""

import json
import os
import shutil
import socket
import time
from hashlib import sha256
from pathlib import Path

from tests.browse.browsing import browsing
from tests.crawling import crawl
from tests.emulators.gcs import GcsEmulator
from tests.export.collecting import collect, tone
from tests.site.server import Site


def titles_of(served_json: bytes) -> int:
    return int(json.loads(served_json)["filtered_table_rows_count"])


def test_rows_of_a_running_crawl_appear_without_a_restart(site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.url}/audio/rain.ogg")
    with browsing(tmp_path) as served:
        assert titles_of(served.ask("/audio/files.json").body) == 1
        assert crawl(tmp_path, f"url={site.url}/shore.html").code == 0
        answer = served.ask("/audio/files.json?_shape=objects")
        rows = json.loads(answer.body)["rows"]
        assert len(rows) == 3
        assert answer.headers["cache-control"] in {"no-cache", "private, no-store"}
        for row in rows:
            body = served.ask(f"/-/audio/{row['sha256']}").body
            assert sha256(body).hexdigest() == row["sha256"]


def test_objects_are_served_from_a_bucket_by_range(gcs_emulator: GcsEmulator, tmp_path: Path) -> None:
    content = tone(3, samples=700_000)
    collection = collect(tmp_path, [(content, {"content_type": "audio/wav"})])
    bucket = gcs_emulator.create_bucket("browse")
    env = {"STORAGE_EMULATOR_HOST": gcs_emulator.url}
    assert collection.run("sync", "--to-store", f"gs://{bucket}/audio", env=env).code == 0
    shutil.rmtree(tmp_path / "data/objects")
    with browsing(tmp_path, env={**env, "AUDIO_STORE": f"gs://{bucket}/audio"}) as served:
        path = f"/-/audio/{sha256(content).hexdigest()}"
        assert served.ask(path).body == content
        part = served.ask(path, Range="bytes=2000000-2000099")
        assert (part.status, part.body) == (206, content[2_000_000:2_000_100])


def test_ctrl_c_ends_it_while_a_file_is_being_sent(tmp_path: Path) -> None:
    content = bytes(30_000_000)
    collect(tmp_path, [(content, {})])
    with socket.socket() as idle, browsing(tmp_path) as served:
        idle.connect(("127.0.0.1", served.port))
        idle.sendall(f"GET /-/audio/{sha256(content).hexdigest()} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert idle.recv(15) == b"HTTP/1.1 200 OK"


def test_a_listener_who_goes_does_not_keep_a_file_open(tmp_path: Path) -> None:
    collect(tmp_path, [(tone(1), {})])
    (stored,) = (tmp_path / "data/objects").rglob("*.wav")
    os.truncate(stored, 500 << 30)  # sparse: it takes minutes to read
    with browsing(tmp_path) as served:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", served.port)) as hasty:
                hasty.sendall(f"GET /-/audio/{stored.stem} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                hasty.recv(1000)
        until = time.monotonic() + 20
        while _opened(served.process.pid, stored) and time.monotonic() < until:
            time.sleep(0.05)
        assert not _opened(served.process.pid, stored)


def _opened(pid: int, path: Path) -> bool:
    return any(each.resolve() == path for each in Path(f"/proc/{pid}/fd").iterdir())


def test_without_the_objects_the_rows_are_still_there(tmp_path: Path) -> None:
    collect(tmp_path, [(tone(1), {})])
    shutil.rmtree(tmp_path / "data/objects")
    note = "note: AUDIO_STORE file:data/objects: "
    process_note = f"{note}{tmp_path}/data/objects not found; no file can be played\n"
    with browsing(tmp_path, expected_stderr=process_note) as served:
        assert titles_of(served.ask("/audio/files.json").body) == 1
        assert served.ask(f"/-/audio/{sha256(tone(1)).hexdigest()}").status == 404
    assert not (tmp_path / "data/objects").exists()


def test_without_a_database_it_says_where_to_run_it(tmp_path: Path) -> None:
    done = crawl(tmp_path, command=("browse",))
    assert (done.code, done.stdout) == (2, "")
    assert "AUDIO_WAREHOUSE sqlite:data/audio.db" in done.stderr
    assert "not found; run this where the crawl ran" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_of_a_bigquery_warehouse_it_names_the_command_that_shows_it(tmp_path: Path) -> None:
    done = crawl(tmp_path, command=("browse",), settings={"AUDIO_WAREHOUSE": "bigquery://p/d/audio_metadata"})
    assert done.code == 2
    (line,) = done.stderr.splitlines()
    assert "AUDIO_WAREHOUSE bigquery://p/d/audio_metadata: browse reads SQLite only; `scrapy report`" in line


def test_a_port_that_cannot_be_had_is_one_line(tmp_path: Path) -> None:
    collect(tmp_path, [])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        runs = {given: crawl(tmp_path, command=("browse", "--port", given)) for given in (port, "70000", "x", "-1")}
    for given, done in runs.items():
        assert (done.code, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert given in line
    assert "Address already in use; give another one, or 0" in runs[port].stderr
