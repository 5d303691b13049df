"""When the file that was chosen of a recording cannot be had, the next one is taken, but not where rights forbid it."""

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audiocrawler.crawl.items import FetchAgainError
from audiocrawler.model.rows import AudioItem
from audiocrawler.pipelines import Stage
from audiocrawler.settings import ITEM_PIPELINES
from tests.analysis.sounds import tone, write_audio
from tests.crawling import Run, crawl, start
from tests.site.tones import tone_wav
from tests.strange_server import Strange, Wire, strange

DOWN = "http://127.0.0.9:1"
BOUNDS = {"AUDIO_MIN_DURATION_MS": "200", "AUDIO_MAX_BYTES": "100000", "RETRY_TIMES": "0"}
DAMAGED = b"fLaC" + bytes(range(256)) * 8
FAILS = {
    "/undecodable.flac": "undecodable",
    "/picture.wav": "not_audio",
    "/page.wav": "not_audio",
    "/empty.wav": "failed",
    "/large.wav": "too_large",
    "/packed.wav": "too_large",
    "/short.wav": "filtered",
    "/missing.wav": "failed",
    "/gone.wav": "gone",
    "/broken.wav": "failed",
    "/forbidden/a.wav": "robots",
}
"""By path: why the first file of a recording is not stored."""
KEPT = {"/opted-out.wav": "opted_out"}
"""The same, where it says something of the recording."""
NUMBERS = {path: number for number, path in enumerate([*FAILS, *KEPT], 100)}


class Doubts(Stage):
    """A stage that does not believe a file until it ends as it should."""

    async def advance(self, item: AudioItem) -> None:
        body = Path(item.files[0]["path"])
        is_whole = await self.crawl.in_thread(lambda: body.read_bytes().endswith(b"whole"))
        if not is_whole and self.may_fetch_again(item):
            raise FetchAgainError("it does not end as it should")


def answer(wire: Wire, path: str) -> None:
    short = tone_wav(1)[:-3400]
    bodies = {"/undecodable.flac": DAMAGED, "/picture.wav": b"\x89PNG\r\n\x1a\n" + bytes(500), "/empty.wav": b""}
    bodies |= {"/page.wav": b"<html>Sold out</html>", "/large.wav": tone_wav(2) + bytes(200_000), "/short.wav": short}
    if path == "/robots.txt":
        wire.body("User-agent: *\nDisallow: /forbidden/\n", kind="text/plain")
    elif path in {"/", "/down"}:
        firsts = {f"{DOWN}/a.wav": 100} if path == "/down" else NUMBERS
        players = (f'<audio><source src="{at}"><source src="/next/{n}.wav"></audio>' for at, n in firsts.items())
        wire.body("".join(players))
    elif path.startswith("/next/"):
        wire.body(tone_wav(int(path[6:-4])), 'ETag: "1"', kind="audio/wav")
    elif path == "/opted-out.wav":
        wire.body(tone_wav(50), "X-Robots-Tag: noai", kind="audio/wav")
    elif path == "/packed.wav":  # so small that nothing of it is unpacked before its end
        wire.body(gzip.compress(tone_wav(3)[:44] + bytes(200_000)), "Content-Encoding: gzip", kind="audio/wav")
    elif path == "/broken.wav":
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 9000\r\n\r\n" + tone_wav(3)[:4000])
    elif path in bodies:
        wire.body(bodies[path], kind="audio/mpeg")
    else:
        wire.body("", status="410 Gone" if path == "/gone.wav" else "404 Not Found")


@dataclass(frozen=True, slots=True)
class Twice:
    """Two crawls of the page, and what the server was asked for in both."""

    first: Run
    second: Run
    server: Strange


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    folder = tmp_path_factory.mktemp("alternates")
    with strange(answer) as server:
        first = crawl(folder, f"url={server.url}/", settings=BOUNDS)
        yield Twice(first, crawl(folder, f"url={server.url}/", settings=BOUNDS), server)


def statuses(run: Run, server: Strange, path: str) -> tuple[str, str]:
    rows = {url.removeprefix(server.url): row["last_status"] for url, row in run.sources.items()}
    return rows[path], rows[f"/next/{NUMBERS[path]}.wav"]


@pytest.mark.parametrize("path", FAILS)
def test_the_next_file_is_taken_where_the_first_fails_in_later_crawls_too(path: str, twice: Twice) -> None:
    assert statuses(twice.second, twice.server, path) == (FAILS[path], "unchanged")


def test_an_opt_out_is_about_every_file_of_the_recording(twice: Twice) -> None:
    for path, status in KEPT.items():
        assert statuses(twice.second, twice.server, path) == (status, "alternate")
        assert not twice.server.times_s(f"/next/{NUMBERS[path]}.wav")
    (row,) = [row for row in twice.first.sources.values() if row["status"] == "alternate"]
    assert row["reason"] == (
        "another file of the same recording is opted out: opted out of AI training: X-Robots-Tag: noai"
    )


def test_the_closing_table_counts_each_file_once(twice: Twice) -> None:
    assert f"found       {2 * len(NUMBERS)} audio URLs" in twice.first.stdout
    assert f"stored      {len(FAILS)} files" in twice.first.stdout
    assert "alternate   1\n" in twice.first.stdout
    assert "left " not in twice.first.stdout


def test_the_next_file_is_taken_where_a_host_is_down(tmp_path: Path) -> None:
    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/down", settings=BOUNDS)
        assert len(server.times_s("/next/")) == 1
    assert [row["last_status"] for row in run.sources.values()] == ["robots", "stored"]  # its robots.txt cannot be had


def test_a_mirror_of_the_file_comes_before_other_formats_of_the_recording(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        other = '<podcast:alternateEnclosure type="audio/{}" length="{}"><podcast:source uri="{}"/>'
        feed = (
            f'<rss><channel><item><enclosure url="{DOWN}/a.mp3" type="audio/mpeg" length="4044"/>'
            f"{other.format('opus', 900, '/low.opus')}</podcast:alternateEnclosure>"
            f"{other.format('mpeg', 4044, server.at('127.0.0.2') + '/a.mp3')}</podcast:alternateEnclosure>"
            "</item></channel></rss>"
        )
        wire.body(feed if path == "/" else tone_wav(1), kind="application/rss+xml" if path == "/" else "a/b")

    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/", settings=BOUNDS)
        assert len(server.times_s("/a.mp3", "127.0.0.2")) == 1
    statuses = {url.rpartition("/")[2]: row["status"] for url, row in run.sources.items() if DOWN not in url}
    assert statuses == {"a.mp3": "stored", "low.opus": "alternate"}


def test_a_licence_in_the_tags_of_one_file_is_about_the_recording(tmp_path: Path) -> None:
    tags = {"copyright": "https://creativecommons.org/licenses/by-nc/4.0/"}
    tagged = write_audio(tmp_path / "a.flac", tone(440, 0.5, 0.3), "flac", tags=tags).read_bytes()

    def answer(wire: Wire, path: str) -> None:
        licence = '<link rel="license" href="https://creativecommons.org/publicdomain/zero/1.0/">'
        if path == "/":
            wire.body(f'{licence}<audio><source src="/a.flac"><source src="/b.wav"></audio>')
        else:
            wire.body(tagged if path == "/a.flac" else tone_wav(1), kind="audio/flac")

    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/", settings={"AUDIO_LICENSES": "CC0-1.0"})
        assert server.times_s("/a.flac")
        assert not server.times_s("/b.wav")
    assert [row["status"] for row in run.sources.values()] == ["filtered", "alternate"]


def test_what_takes_the_place_of_a_file_outlives_the_process(tmp_path: Path) -> None:
    waits = [True]

    def answer(wire: Wire, path: str) -> None:
        is_first = len(server.times_s(path)) == 1
        if path == "/":
            wire.body('<audio><source src="/a.flac"><source src="/b.wav"></audio><audio src="/half.wav"></audio>')
        elif path == "/a.flac":
            wire.body(DAMAGED + b"whole", kind="audio/flac")
        elif path == "/half.wav" and is_first:
            wire.body(tone_wav(7), kind="audio/wav")
        elif waits[0] and path in {"/b.wav", "/half.wav"}:
            wire.closing.wait(60)
        else:
            wire.body(tone_wav(7 if path == "/half.wav" else 8) + b"whole", kind="audio/wav")

    settings = {"ITEM_PIPELINES": json.dumps({**ITEM_PIPELINES, "tests.test_alternates.Doubts": 150})}
    with strange(answer) as server:
        process = start(tmp_path, f"url={server.url}/", settings=settings)
        deadline = time.monotonic() + 60
        while not (server.times_s("/b.wav") and len(server.times_s("/half.wav")) > 1):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        process.communicate()
        waits[0] = False
        run = crawl(tmp_path, f"url={server.url}/", settings=settings)
    rows = {url.rpartition("/")[2]: row for url, row in run.sources.items()}
    assert {name: row["status"] for name, row in rows.items()} == {
        "a.flac": "undecodable",
        "b.wav": "stored",
        "half.wav": "stored",
    }
    assert rows["half.wav"]["attempts"] == 2
    assert rows["half.wav"]["size_bytes"] == len(tone_wav(7) + b"whole")
    assert len(run.objects) == 2


def test_a_file_that_is_never_believed_is_fetched_as_often_as_a_failure(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        is_page = path == "/"
        wire.body('<audio src="/half.wav"></audio>' if is_page else tone_wav(7), kind="text/html" if is_page else "a/b")

    settings = {"ITEM_PIPELINES": json.dumps({**ITEM_PIPELINES, "tests.test_alternates.Doubts": 150})}
    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/", settings={**settings, "RETRY_TIMES": "2"})
        assert len(server.times_s("/half.wav")) == 3
    (row,) = run.sources.values()
    assert (row["status"], row["attempts"]) == ("stored", 3)
    assert "found       1 audio URLs" in run.stdout
