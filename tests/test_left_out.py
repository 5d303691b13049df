"""What is seen and not taken has a row, and what can be taken in another way is."""

import base64
import io
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.crawling import Run, crawl
from tests.site.tones import tone_wav
from tests.strange_server import Wire, strange

SECONDS = 6


def fragmented_mp4(pitch_hz: int) -> list[bytes]:
    """Return the initialisation segment and the fragments of AAC audio."""
    out = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "2000000"}
    with av.open(out, "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        samples = np.sin(np.arange(16_000 * SECONDS) * 2 * np.pi * pitch_hz / 16_000).astype(np.float32) / 4
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="fltp", layout="mono")
        frame.rate = 16_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    first, *rest = out.getvalue().split(b"moof")
    boxes = [first]
    for each in rest:  # the four bytes before the name are the length of its box
        boxes[-1], length = boxes[-1][:-4], boxes[-1][-4:]
        boxes.append(length + b"moof" + each)
    return boxes


def film() -> bytes:
    """Return a video with sound."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        picture, sound = container.add_stream("mpeg4", rate=5), container.add_stream("aac", rate=16_000, layout="mono")
        picture.width = picture.height = 64
        samples = np.zeros((1, 16_000), np.float32) + 0.1
        heard = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        heard.rate = 16_000
        for packet in (*sound.encode(heard), *sound.encode(None)):
            container.mux(packet)
        for packet in (*picture.encode(av.VideoFrame(64, 64, "yuv420p")), *picture.encode(None)):
            container.mux(packet)
    return out.getvalue()


def archive(*, is_zip: bool) -> bytes:
    out = io.BytesIO()
    if is_zip:
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr("a.wav", tone_wav(40))
    else:
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            member = tarfile.TarInfo("a.wav")
            member.size = len(tone_wav(41))
            tar.addfile(member, io.BytesIO(tone_wav(41)))
    return out.getvalue()


def mpd(attributes: str, extra: str = "", languages: str = "en") -> str:
    sets = "".join(
        f'<AdaptationSet mimeType="audio/mp4" lang="{each}">{extra}<SegmentTemplate media="{each}-$Number$.m4s"'
        f' initialization="{each}-i.mp4" duration="2"/><Representation id="1" bandwidth="64000"/></AdaptationSet>'
        for each in languages.split()
    )
    return f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {attributes}><Period>{sets}</Period></MPD>'


ENGLISH, FRENCH, FILM = fragmented_mp4(300), fragmented_mp4(400), film()
STATIC = f'mediaPresentationDuration="PT{SECONDS}S"'
NAMES = ("i.mp4", *(f"{number}.m4s" for number in range(1, 20)))
INLINE = tone_wav(7)
PAGE = f"""<!doctype html><title>t</title>
<video controls src="/film.mp4"></video> <a href="/film-2.webm">x</a> <a href="/dl/film">x</a>
<a href="/all.zip">x</a> <a href="/dl/zip">x</a> <a href="/dl/tar">x</a>
<a href="ftp://anna:hush@127.0.0.1/pub/a.wav">x</a>
<audio controls src="data:audio/wav;base64,{base64.b64encode(INLINE).decode()}" title="A sample"></audio>
<audio controls src="data:audio/wav;base64,!!!"></audio>
<audio><source src="/m/both.mpd" type="application/dash+xml"></audio>
<audio><source src="/m/one.mpd" type="application/dash+xml"></audio>
<audio><source src="/m/live.mpd" type="application/dash+xml"></audio>
<audio><source src="/m/locked.mpd" type="application/dash+xml"></audio>
"""
ANSWERS: dict[str, tuple[bytes | str, str]] = {
    "/": (PAGE, "text/html"),
    "/film.mp4": (FILM, "video/mp4"),
    "/film-2.webm": (FILM + b"\0", "video/webm"),
    "/dl/film": (FILM + b"\0\0", "video/mp4"),
    "/all.zip": (archive(is_zip=True), "application/zip"),
    "/dl/zip": (archive(is_zip=True), "application/octet-stream"),
    "/dl/tar": (archive(is_zip=False), "application/octet-stream"),
    "/m/both.mpd": (mpd(STATIC, languages="en fr"), "application/dash+xml"),
    "/m/one.mpd": (mpd(STATIC, languages="en"), "application/dash+xml"),
    "/m/live.mpd": (mpd('type="dynamic"'), "application/dash+xml"),
    "/m/locked.mpd": (mpd(STATIC, "<ContentProtection schemeIdUri='x'/>"), "application/dash+xml"),
    **{f"/m/en-{each}": (data, "video/mp4") for each, data in zip(NAMES, ENGLISH, strict=False)},
    **{f"/m/fr-{each}": (data, "video/mp4") for each, data in zip(NAMES, FRENCH, strict=False)},
}


@dataclass
class Crawled:
    run: Run
    rows: dict[str, dict[str, Any]]


def crawled_with(folder: Path, *arguments: str) -> Crawled:
    def answer(wire: Wire, path: str) -> None:
        body, kind = ANSWERS.get(path, (b"", ""))
        wire.body(body, kind=kind, status="200 OK" if kind else "404 Not Found")

    with strange(answer) as server:
        run = crawl(folder, f"url={server.url}/", "depth=1", "render=never", *arguments)
        return Crawled(run, {url.removeprefix(server.url): row for url, row in run.sources.items()})


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    return crawled_with(tmp_path_factory.mktemp("left"))


def test_videos_and_archives_have_rows_that_say_why_they_are_left(crawled: Crawled) -> None:
    for path in ("/film.mp4", "/film-2.webm", "/dl/film"):
        row = crawled.rows[path]
        assert (row["kind"], row["status"], row["reason"]) == (
            "video",
            "filtered",
            "a video: -a video=yes takes its sound",
        )
    for path in ("/all.zip", "/dl/zip", "/dl/tar"):
        row = crawled.rows[path]
        assert (row["kind"], row["status"]) == ("archive", "filtered")
        assert row["reason"].startswith("an archive")


def test_a_url_of_another_scheme_has_a_row_without_its_password(crawled: Crawled) -> None:
    ((url, row),) = ((url, row) for url, row in crawled.rows.items() if url.startswith("ftp:"))
    assert "hush" not in url
    assert (row["kind"], row["status"]) == ("other_scheme", "failed")
    assert row["reason"] == "only http and https can be fetched, not ftp"


def test_audio_within_the_page_is_stored_and_measured(crawled: Crawled) -> None:
    rows = {url: row for url, row in crawled.rows.items() if url.startswith("data:")}
    (url,) = (url for url, row in rows.items() if row["status"] == "stored")
    assert len(url) < 120
    (audio,) = (row for row in crawled.run.audio if row["sha256"] == rows[url]["sha256"])
    assert (audio["duration_ms"], audio["file_name"], audio["size_bytes"]) == (250, "A sample.wav", len(INLINE))
    assert [row["status"] for row in rows.values() if row["status"] != "stored"] == ["undecodable"]


def test_segmented_audio_is_joined_for_each_language(crawled: Crawled) -> None:
    paths = ("/m/both.mpd?lang=en", "/m/both.mpd?lang=fr", "/m/one.mpd")
    assert {crawled.rows[path]["status"] for path in paths} <= {"stored", "duplicate"}
    durations = {row["sha256"]: row["duration_ms"] for row in crawled.run.audio}
    assert all(abs(durations[crawled.rows[path]["sha256"]] - 1000 * SECONDS) < 200 for path in paths)
    assert crawled.rows["/m/both.mpd?lang=fr"]["sha256"] != crawled.rows["/m/one.mpd"]["sha256"]


def test_live_and_encrypted_manifests_have_rows(crawled: Crawled) -> None:
    assert crawled.rows["/m/live.mpd"]["status"] == "stream"
    assert crawled.rows["/m/locked.mpd"]["status"] == "protected"


def test_the_sound_of_videos_is_taken_if_that_is_wanted(tmp_path: Path) -> None:
    wanted = crawled_with(tmp_path, "video=yes")
    assert {wanted.rows[path]["status"] for path in ("/film.mp4", "/film-2.webm", "/dl/film")} == {"stored"}


def test_a_crawl_that_finds_only_videos_and_archives_says_so(tmp_path: Path) -> None:
    with strange(lambda wire, path: wire.body('<a href="/a.zip">x</a><a href="/b.mp4">y</a>')) as server:
        run = crawl(tmp_path, f"url={server.url}/", "render=never")
    assert run.code == 3
    assert "no audio was found, only videos or archives" in run.stderr + run.stdout
