"""Archives in a crawl: what is in them is listed, and with archives=expand their audio is taken, each member once."""

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.archives.packing import PACK, packed, tarred, zipped
from tests.archives.serving import Served, served
from tests.crawling import Run, crawl, finish, start
from tests.site.tones import tone_wav
from tests.test_kill import kill, wait_for_end_of_workers, wait_until

EXPAND = "archives=expand"
LICENCE = b"Creative Commons Attribution 4.0 International Public License\n\nBy exercising the Licensed Rights ..."


def tones(folder: str, first: int, count: int) -> dict[str, bytes]:
    return {f"{folder}/tone-{number}.wav": tone_wav(number) for number in range(first, first + count)}


def members_of(run: Run, url: str) -> dict[str, dict[str, object]]:
    """Return the rows of an archive's members by their fragment."""
    found = {key.partition("#"): row for key, row in run.sources.items()}
    return {member: row for (archive, mark, member), row in found.items() if mark and archive == url}


# --- Listed ---

LISTED = {
    "/large.zip": zipped({f"a/{n}.wav": os.urandom(120_000) for n in range(20)} | {"a/n.txt": b""}, 0),
    "/small.zip": zipped(tones("s", 0, 3)),
    "/small.tar.xz": packed(tones("s", 0, 2), "tar.xz"),
    "/large.tar.gz": packed({f"a/{n}.wav": os.urandom(120_000) for n in range(20)}, "tar.gz"),
    "/broken.zip": b"PK\3\4" + os.urandom(3_000_000),
    "/old.7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
}


def reasons(run: Run, server: Served) -> dict[str, str]:
    assert {row["status"] for row in run.sources.values()} == {"filtered"}
    assert {row["kind"] for row in run.sources.values()} == {"archive"}
    return {key.removeprefix(server.url): row["reason"] for key, row in run.sources.items()}


def test_what_is_in_archives_is_listed_from_a_part_of_their_bytes(tmp_path: Path) -> None:
    with served(LISTED) as server:
        run = crawl(tmp_path, f"url={server.url}/")
    found = reasons(run, server)
    takes = "; -a archives=expand takes them"
    assert found["/large.zip"] == f"an archive: 21 files, 20 of them audio of 2400000 bytes{takes}"
    assert found["/small.zip"] == f"an archive: 3 files, 3 of them audio of 12132 bytes{takes}"
    assert found["/small.tar.xz"] == f"an archive: 2 files, 2 of them audio of 8088 bytes{takes}"
    assert found["/large.tar.gz"].startswith("an archive: its start lists ")
    assert "damaged archive: no zip directory" in found["/broken.zip"]
    assert "zip and tar are read, this is not" in found["/old.7z"]
    assert run.sources[f"{server.url}/large.zip"]["declared_size_bytes"] == len(LISTED["/large.zip"])
    assert all(sent <= (1 << 20) + 200_000 for sent in server.sent_bytes.values())
    assert server.asked.count("/small.zip bytes=0-1048575") == 1
    assert sum(each.startswith("/small.zip") for each in server.asked) == 1


def test_a_server_without_ranges_sends_no_more_than_the_start(tmp_path: Path) -> None:
    with served(LISTED | {"/vast.zip": os.urandom(8)}, has_ranges=False) as server:
        server.files["/vast.zip"] = zipped({f"a/{n}.wav": os.urandom(1 << 20) for n in range(12)}, 0)
        run = crawl(tmp_path, f"url={server.url}/")
    found = reasons(run, server)
    assert "the server sends no ranges" in found["/vast.zip"]
    assert found["/small.zip"].startswith("an archive: 3 files")
    assert server.sent_bytes["/vast.zip"] < 10 << 20


def test_nothing_of_an_archive_is_requested_where_nothing_is_to_be_downloaded(tmp_path: Path) -> None:
    with served({"/a.zip": LISTED["/small.zip"]}) as server:
        run = crawl(tmp_path, f"url={server.url}/", "download=no")
    assert server.asked == []
    assert "not listed" in reasons(run, server)["/a.zip"]


def test_a_host_that_opts_out_is_asked_neither_for_listings_nor_for_archives(tmp_path: Path) -> None:
    with served({"/a.zip": LISTED["/small.zip"]}, headers=("X-Robots-Tag: noai",)) as server:
        listed = crawl(tmp_path, f"url={server.url}/")
        assert listed.sources[f"{server.url}/a.zip"]["status"] == "opted_out"
        taken = crawl(tmp_path, f"url={server.url}/", EXPAND)
    assert {row["status"] for row in taken.sources.values()} == {"opted_out"}
    assert taken.objects == []


# --- Expanded ---

CORPUS = {
    "LS/61/61-1.trans.txt": b"tone-0 FIRST TONE\ntone-1 SECOND\n",
    **tones("LS/61", 0, 4),
    "LS/LICENSE.txt": LICENCE,
    "LS/61/noise.wav": b"not audio at all, by any means",
    "LS/SPEAKERS.TXT": b"61 | M",
}
ODD = {"ä b/100%;x#y.wav": tone_wav(20), "../../up.wav": tone_wav(21), "/abs.wav": tone_wav(22)}


@dataclass(frozen=True, slots=True)
class Crawled:
    """Two crawls of one site with archives."""

    first: Run
    second: Run
    server: Served
    rows: dict[str, dict[str, object]]
    """After the first."""
    sent_again: Counter[str]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    folder = tmp_path_factory.mktemp("archives")
    files = {f"/corpus.{kind}": packed(CORPUS, kind) for kind in (*PACK, "zip")}
    files["/odd.tgz"] = packed(ODD, "tar.gz")
    files["/outer.tar"] = packed({"in/inner.zip": zipped(tones("x", 30, 2)), "b.wav": tone_wav(33)}, "tar")
    with served(files, page='<meta name="description" content="x">') as server:
        first = crawl(folder, f"url={server.url}/", EXPAND)
        rows = first.sources
        server.sent_bytes.clear()
        second = crawl(folder, f"url={server.url}/", EXPAND)
        yield Crawled(first, second, server, rows, Counter(server.sent_bytes))


def test_each_member_has_a_row_of_its_own(crawled: Crawled) -> None:
    run, url = crawled.first, crawled.server.url
    assert run.code == 0, run.stderr
    assert "Traceback" not in run.log
    for kind in (*PACK, "zip"):
        members = members_of(run, f"{url}/corpus.{kind}")
        assert members.keys() == {*(f"LS/61/tone-{number}.wav" for number in range(4)), "LS/61/noise.wav"}
        assert members["LS/61/noise.wav"]["status"] == "not_audio"
        taken = [row for member, row in members.items() if "tone" in member]
        assert {row["status"] for row in taken} <= {"stored", "duplicate"}
        assert {row["found_by"] for row in taken} == {"archive_member"}
        assert {row["page_url"] for row in taken} == {f"{url}/"}
        assert {row["license"] for row in taken} == {"CC-BY-4.0"}
        assert {row["license_found_in"] for row in taken} == {"archive_license=CC-BY-4.0"}
        archive = run.sources[f"{url}/corpus.{kind}"]
        assert (archive["status"], archive["kind"]) == ("expanded", "archive")
        assert archive["reason"] == "5 of 8 members taken as audio"


def test_measures_and_objects_are_those_of_the_bytes(crawled: Crawled) -> None:
    run = crawled.first
    assert len(run.objects) == len(run.audio) == 4 + 3 + 3
    assert all(row["duration_ms"] == 250 for row in run.audio)
    assert {row["file_name"] for row in run.audio} >= {"tone-0.wav", "100%;x#y.wav", "up.wav", "abs.wav"}


def test_transcripts_are_in_the_rows_wherever_the_table_stands(crawled: Crawled) -> None:
    for kind in (*PACK, "zip"):
        members = members_of(crawled.first, f"{crawled.server.url}/corpus.{kind}")
        assert members["LS/61/tone-0.wav"]["transcript"] == "FIRST TONE"
        assert members["LS/61/tone-1.wav"]["transcript"] == "SECOND"
        assert members["LS/61/tone-2.wav"]["transcript"] is None


def test_names_are_only_text(crawled: Crawled) -> None:
    members = members_of(crawled.first, f"{crawled.server.url}/odd.tgz")
    assert members.keys() == {"%C3%A4%20b/100%25%3Bx%23y.wav", "../../up.wav", "/abs.wav"}
    outside = [path for path in crawled.first.folder.parent.rglob("*.wav") if "objects" not in path.parts]
    assert outside == []


def test_an_archive_within_an_archive_is_taken_too(crawled: Crawled) -> None:
    members = members_of(crawled.first, f"{crawled.server.url}/outer.tar")
    assert members.keys() == {"in/inner.zip/x/tone-30.wav", "in/inner.zip/x/tone-31.wav", "b.wav"}
    assert {row["status"] for row in members.values()} == {"stored"}


def test_a_second_crawl_transfers_nothing_and_keeps_the_rows(crawled: Crawled) -> None:
    second = crawled.second
    assert second.code == 0, second.stderr
    assert {path: sent for path, sent in crawled.sent_again.items() if sent} == {}
    assert {row["status"] for key, row in second.sources.items() if "#" not in key} == {"expanded"}
    told = ("status", "transcript", "sha256", "license")
    before = {key: [row[name] for name in told] for key, row in crawled.rows.items()}
    assert {key: [row[name] for name in told] for key, row in second.sources.items()} == before
    assert len(second.objects) == len(second.audio) == 10
    assert list((second.folder / "data/incoming").rglob("*")) == []


def test_a_changed_archive_is_taken_again_and_only_what_is_new_is_stored(tmp_path: Path) -> None:
    with served({"/a.zip": zipped(tones("x", 0, 3))}) as server:
        crawl(tmp_path, f"url={server.url}/", EXPAND)
        server.files["/a.zip"] = zipped(tones("x", 0, 5))
        run = crawl(tmp_path, f"url={server.url}/", EXPAND)
    statuses = Counter(row["last_status"] for row in members_of(run, f"{server.url}/a.zip").values())
    assert statuses == {"unchanged": 3, "stored": 2}
    assert len(run.objects) == 5


def test_an_archive_listed_before_is_expanded_when_that_is_asked_for(tmp_path: Path) -> None:
    with served({"/a.zip": zipped(tones("x", 0, 2))}) as server:
        crawl(tmp_path, f"url={server.url}/")
        run = crawl(tmp_path, f"url={server.url}/", EXPAND)
        assert len(run.objects) == 2
        direct = crawl(tmp_path, f"url={server.url}/a.zip", EXPAND)
    assert direct.code == 0, direct.stderr
    assert direct.sources[f"{server.url}/a.zip"]["status"] == "expanded"


def test_the_limit_counts_members(tmp_path: Path) -> None:
    files = {"/a.zip": zipped(tones("x", 0, 12)), "/b.tar": packed(tones("y", 20, 12), "tar")}
    with served(files) as server:
        run = crawl(tmp_path, f"url={server.url}/", EXPAND, "limit=5", settings={"AUDIO_WORKERS": "3"})
        assert len(run.objects) == 5
        assert Counter(row["status"] for key, row in run.sources.items() if "#" in key) == {"stored": 5, "limit": 19}
        whole = crawl(tmp_path, f"url={server.url}/", EXPAND)
    assert len(whole.objects) == 24


def test_filters_hold_for_members(tmp_path: Path) -> None:
    files = {"/a.zip": zipped(tones("x", 0, 2) | {"x/LICENSE": b"CC BY-NC 4.0"}), "/b.zip": zipped(tones("y", 5, 2))}
    with served(
        files, page='<p>Data under <a rel="license" href="https://creativecommons.org/licenses/by/4.0/">x</a>'
    ) as site:
        run = crawl(tmp_path, f"url={site.url}/", EXPAND, settings={"AUDIO_LICENSES": "CC-BY-4.0"})
    assert {row["status"] for row in members_of(run, f"{site.url}/a.zip").values()} == {"filtered"}
    assert {row["status"] for row in members_of(run, f"{site.url}/b.zip").values()} == {"stored"}


def test_a_member_that_is_taken_down_stays_away_and_its_archive_does_not(tmp_path: Path) -> None:
    with served({"/a.zip": zipped(tones("x", 0, 3))}) as server:
        crawl(tmp_path, f"url={server.url}/", EXPAND)
        member = f"{server.url}/a.zip#x/tone-1.wav"
        done = finish(start(tmp_path, command=("takedown", "--source", member, "--yes")), tmp_path)
        assert done.code == 0, done.stderr + done.stdout
        server.files["/a.zip"] = zipped(tones("x", 0, 3) | {"x/new.wav": tone_wav(9)})
        run = crawl(tmp_path, f"url={server.url}/", EXPAND)
        assert run.sources[member]["status"] == "taken_down"
        assert len(run.objects) == 3
        finish(start(tmp_path, command=("takedown", "--source", f"{server.url}/a.zip", "--yes")), tmp_path)
        gone = crawl(tmp_path, f"url={server.url}/", EXPAND)
    assert {row["status"] for row in gone.sources.values()} == {"taken_down"}
    assert gone.objects == []


def test_damage_and_bombs_end_in_a_row(tmp_path: Path) -> None:
    whole = packed(tones("x", 0, 3) | {"x/large.flac": os.urandom(300_000)}, "tar")
    encrypted = bytearray(zipped({"a.wav": tone_wav(1)}))
    encrypted[encrypted.index(b"PK\1\2") + 8] |= 1
    files = {
        "/cut.tar": whole[: len(whole) - 200_000],
        "/bomb.zip": zipped({f"{n}.wav": bytes(1 << 28) for n in range(2)}),
        "/locked.zip": bytes(encrypted),
        "/large.zip": zipped({"large.wav": bytes(3 << 20), "small.wav": tone_wav(7)}),
        "/no.zip": b"<!doctype html><title>Log in</title>" + b" " * 9000,
        "/none.zip": zipped({"readme.txt": b"nothing here"}),
    }
    with served(files) as server:
        run = crawl(tmp_path, f"url={server.url}/", EXPAND, settings={"AUDIO_MAX_BYTES": str(2 << 20)})
    rows = {key.removeprefix(server.url): row for key, row in run.sources.items()}
    assert run.code == 0, run.stderr
    assert "Traceback" not in run.log
    assert rows["/cut.tar"]["status"] == "undecodable"
    assert "damaged archive: unexpected end of data; 3 members were taken before" in rows["/cut.tar"]["reason"]
    assert rows["/cut.tar#x/tone-2.wav"]["status"] == "stored"
    assert rows["/cut.tar#x/large.flac"]["status"] == "undecodable"
    assert {rows[f"/bomb.zip#{n}.wav"]["status"] for n in range(2)} == {"too_large"}
    assert rows["/locked.zip#a.wav"]["status"] == "protected"
    assert rows["/large.zip#large.wav"]["status"] == "too_large"
    assert rows["/large.zip#small.wav"]["status"] == "stored"
    assert rows["/no.zip"]["status"] == "not_audio"
    assert rows["/none.zip"]["reason"] == "0 of 1 members taken as audio"


def test_retry_takes_a_failed_member_out_of_its_archive_again(tmp_path: Path) -> None:
    good, bad = tones("x", 0, 2), {"x/tone-1.wav": b"x" * 100}
    with served({"/a.zip": zipped(good | bad)}) as server:
        crawl(tmp_path, f"url={server.url}/", EXPAND)
        server.files["/a.zip"] = zipped(good)
        done = finish(start(tmp_path, command=("retry", "-a", "status=not_audio")), tmp_path)
    assert done.code == 0, done.stderr
    assert done.sources[f"{server.url}/a.zip#x/tone-1.wav"]["status"] == "stored"
    assert done.sources[f"{server.url}/a.zip"]["status"] == "expanded"


# --- Killed ---


def rows_in(folder: Path) -> int:
    try:
        with sqlite3.connect(folder / "data/audio.db", timeout=30) as database:
            return int(database.execute("SELECT count(*) FROM audio_metadata").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


COUNT = 60
MANY = packed({"pad.bin": os.urandom(2 << 20), **tones("x", 0, COUNT)}, "tar.gz")


def killed(folder: Path, server: Served, end: Callable[..., None]) -> Run:
    process = start(folder, f"url={server.url}/", EXPAND)
    wait_until(lambda: 5 <= rows_in(folder) < COUNT)
    end(process)
    wait_for_end_of_workers(folder)
    server.sent_bytes.clear()
    return crawl(folder, f"url={server.url}/", EXPAND)


def interrupt(process) -> None:
    os.kill(process.pid, 2)
    process.communicate()


@pytest.mark.parametrize("end", [kill, interrupt])
def test_after_a_kill_or_a_stop_the_rest_is_taken_without_another_download(
    end: Callable[..., None], tmp_path: Path
) -> None:
    with served({"/many.tar.gz": MANY}) as server:
        run = killed(tmp_path, server, end)
        assert server.sent_bytes["/many.tar.gz"] == 0
    assert run.code == 0, run.stderr
    assert "resuming" in run.stderr
    assert len(run.objects) == len(run.audio) == COUNT
    statuses = Counter(row["status"] for row in run.sources.values())
    assert statuses == {"stored": COUNT, "expanded": 1}
    assert f"stored      {COUNT} files" in run.stdout
    assert f"found       {COUNT + 1} audio URLs" in run.stdout
    assert [path for path in (tmp_path / "data/incoming").rglob("*") if path.suffix != ".lock"] == []


def test_a_stop_does_not_wait_until_an_archive_is_unpacked(tmp_path: Path) -> None:
    member = PACK["tar.bz2"](tarred({"zeros.bin": bytes(1 << 26)})[: 512 + (1 << 26)])
    with served({"/vast.tar.bz2": member * 50 + os.urandom(14 << 20)}) as server:
        process = start(tmp_path, f"url={server.url}/", EXPAND)
        wait_until(lambda: any((tmp_path / "data").rglob("*.notes")))
        time.sleep(0.5)
        stopped_at_s = time.monotonic()
        os.kill(process.pid, 2)
        run = finish(process, tmp_path)
    assert run.code == 130
    assert time.monotonic() - stopped_at_s < 10
    assert run.sources[f"{server.url}/vast.tar.bz2"]["status"] == "pending"


def test_members_wait_on_disk_only_a_few_at_a_time(tmp_path: Path) -> None:
    most = 0
    with served({"/many.tar.gz": MANY}) as server:
        process = start(tmp_path, f"url={server.url}/", EXPAND)
        while rows_in(tmp_path) < COUNT and process.poll() is None:
            most = max(most, sum(1 for _ in (tmp_path / "data").rglob("*.member")))
            time.sleep(0.01)
        run = finish(process, tmp_path)
    assert len(run.objects) == COUNT
    assert 1 <= most <= 1 + 6 + 1
