"""A second crawl of the same pages: what has not changed is not transferred again, as the server sees it."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.crawling import Run, crawl
from tests.shelf import File, Shelf
from tests.site.behaviours import AUDIO
from tests.site.server import Site
from tests.site.tones import tone_wav

SURF = (AUDIO / "surf.mp3").read_bytes()
MP3 = {"Content-Type": "audio/mpeg"}
WAV = {"Content-Type": "audio/wav"}
TUESDAY, FRIDAY = "Tue, 03 Nov 2026 10:00:00 GMT", "Fri, 06 Nov 2026 10:00:00 GMT"
LARGE = tone_wav(1) + b"LIST" + (20_000_000).to_bytes(4, "little") + bytes(20_000_000)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two crawls of one page, and what the server counted in the second."""

    before: dict[str, dict[str, Any]]
    after: dict[str, dict[str, Any]]
    run: Run
    requests: Counter[str]
    sent_bytes: Counter[str]


def rows(run: Run, shelf: Shelf) -> dict[str, dict[str, Any]]:
    return {url.removeprefix(shelf.url): source for url, source in run.sources.items()}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with Shelf(
        {
            "/etag.mp3": (SURF, MP3 | {"ETag": '"one"'}),
            "/weak.mp3": (SURF + b"1", MP3 | {"ETag": 'W/"one"'}),
            "/latin-1.mp3": (SURF + b"7", MP3 | {"ETag": '"m\xf6we"'}),
            "/modified.mp3": (SURF + b"2", MP3 | {"Last-Modified": TUESDAY}),
            "/deaf/etag.wav": (LARGE + b"3", WAV | {"ETag": '"one"'}),
            "/deaf/weak.wav": (LARGE + b"4", WAV | {"ETag": 'W/"one"'}),
            "/deaf/modified.wav": (LARGE + b"5", WAV | {"Last-Modified": TUESDAY}),
            "/same-length.wav": (tone_wav(1), WAV),
            "/changed.wav": (tone_wav(2), WAV | {"ETag": '"one"'}),
            "/disappeared.mp3": (SURF + b"6", MP3 | {"ETag": '"one"'}),
            "/lost.wav": (tone_wav(3), WAV | {"ETag": '"one"'}),
        }
    ) as shelf:
        shelf.deaf = {path for path in shelf.answers if path.startswith("/deaf/")}
        first = crawl(folder, f"url={shelf.url}/")
        before = rows(first, shelf)
        shelf.answers["/same-length.wav"] = (tone_wav(4), WAV)
        shelf.answers["/changed.wav"] = (tone_wav(5), WAV | {"ETag": '"two"'})
        shelf.answers["/disappeared.mp3"] = None
        next(path for path in first.objects if before["/lost.wav"]["sha256"] in path.name).unlink()
        shelf.forget()
        second = crawl(folder, f"url={shelf.url}/")
        yield Pair(before, rows(second, shelf), second, shelf.requests, shelf.sent_bytes)


@pytest.mark.parametrize("path", ["/etag.mp3", "/weak.mp3", "/latin-1.mp3", "/modified.mp3"])
def test_a_file_that_the_server_calls_unchanged_is_not_sent_again(path: str, pair: Pair) -> None:
    before, after = pair.before[path], pair.after[path]
    assert (pair.requests[path], pair.sent_bytes[path]) == (1, 0)
    assert (after["status"], after["last_status"], after["http_status"]) == ("unchanged", "unchanged", 304)
    assert after["last_seen_at"] > before["last_seen_at"]
    kept = ("sha256", "gcp_url", "etag", "last_modified", "size_bytes", "content_type", "first_seen_at")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


@pytest.mark.parametrize("path", ["/deaf/etag.wav", "/deaf/weak.wav", "/deaf/modified.wav"])
def test_headers_that_prove_a_file_the_same_end_its_transfer(path: str, pair: Pair) -> None:
    assert pair.after[path]["status"] == "unchanged"
    assert pair.sent_bytes[path] < len(LARGE) / 2  # what the sockets hold


def test_the_same_length_alone_proves_nothing(pair: Pair) -> None:
    assert pair.before["/same-length.wav"]["size_bytes"] == pair.after["/same-length.wav"]["size_bytes"]
    assert pair.before["/same-length.wav"]["sha256"] != pair.after["/same-length.wav"]["sha256"]


def test_a_changed_file_is_measured_again(pair: Pair) -> None:
    before, after = pair.before["/changed.wav"], pair.after["/changed.wav"]
    assert (after["status"], after["etag"], after["variants"]) == ("stored", '"two"', 1)
    assert {before["sha256"], after["sha256"]} <= {audio["sha256"] for audio in pair.run.audio}


def test_a_file_that_disappeared_is_gone_and_not_deleted(pair: Pair) -> None:
    before, after = pair.before["/disappeared.mp3"], pair.after["/disappeared.mp3"]
    assert (after["status"], after["sha256"], after["http_status"]) == ("gone", before["sha256"], 404)
    assert any(after["sha256"] in path.name for path in pair.run.objects)
    assert after["sha256"] in {audio["sha256"] for audio in pair.run.audio}


def test_a_file_whose_object_is_lost_is_fetched_again(pair: Pair) -> None:
    assert pair.sent_bytes["/lost.wav"] == len(tone_wav(3))
    assert any(pair.after["/lost.wav"]["sha256"] in path.name for path in pair.run.objects)


def test_refresh_all_ignores_what_is_known(tmp_path: Path) -> None:
    with Shelf({"/surf.mp3": (SURF, MP3 | {"ETag": '"one"'})}) as shelf:
        crawl(tmp_path, f"url={shelf.url}/")
        shelf.forget()
        run = crawl(tmp_path, f"url={shelf.url}/", "refresh=all")
    assert shelf.sent_bytes["/surf.mp3"] == len(SURF)
    assert rows(run, shelf)["/surf.mp3"]["status"] == "unchanged"


def test_a_refused_file_is_not_transferred_again_while_the_bounds_stay(tmp_path: Path) -> None:
    short = {"AUDIO_MIN_DURATION_MS": "60000"}
    with Shelf({"/surf.mp3": (SURF, MP3 | {"ETag": '"one"'})}) as shelf:
        crawl(tmp_path, f"url={shelf.url}/", settings=short)
        shelf.forget()
        run = crawl(tmp_path, f"url={shelf.url}/", settings=short)
        assert shelf.sent_bytes["/surf.mp3"] == 0
        assert rows(run, shelf)["/surf.mp3"]["status"] == "filtered"
        assert "AUDIO_MIN_DURATION_MS" in rows(run, shelf)["/surf.mp3"]["reason"]
        assert rows(crawl(tmp_path, f"url={shelf.url}/"), shelf)["/surf.mp3"]["status"] == "stored"


def test_files_that_vary_at_every_fetch_are_told_from_those_that_change_often(tmp_path: Path) -> None:
    fetches, edition = itertools.count(100), 0

    def stitched() -> File:
        return tone_wav(next(fetches)), WAV

    def stitched_with_etag() -> File:
        number = next(fetches)
        return tone_wav(number), WAV | {"ETag": f'"{number}"'}

    def news() -> File:
        return tone_wav(edition), WAV | {"ETag": f'"edition {edition}"'}

    kept: list[dict[str, Any]] = []
    with Shelf({"/stitched.wav": stitched, "/etag.wav": stitched_with_etag, "/news.wav": news}) as shelf:
        for edition in range(6):  # noqa: B007 - news() reads it
            shelf.forget()
            run = crawl(tmp_path, f"url={shelf.url}/")
            kept.append(rows(run, shelf))
    last = kept[-1]
    for path in ("/stitched.wav", "/etag.wav"):
        assert len({crawled[path]["sha256"] for crawled in kept}) == 4
        assert (last[path]["status"], last[path]["reason"]) == (
            "unchanged",
            "content changes on every fetch; keeping the stored copy",
        )
        assert last[path]["etag"] == kept[3][path]["etag"]  # that of the stored bytes
    assert len({crawled["/news.wav"]["sha256"] for crawled in kept}) == 6
    assert (last["/news.wav"]["status"], shelf.requests["/news.wav"]) == ("stored", 2)  # its headers, then the file


def test_a_rendition_whose_parts_are_the_same_is_not_joined_again(site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.url}/hls/master.m3u8")
    asked = site.count("/hls/segment-0.mp3")
    run = crawl(tmp_path, f"url={site.url}/hls/master.m3u8")
    assert (asked, site.count("/hls/segment-0.mp3")) == (1, 1)
    assert run.sources[f"{site.url}/hls/vod.m3u8"]["status"] == "unchanged"


def test_the_second_crawl_of_a_whole_site_transfers_what_has_no_validator_and_nothing_else(
    site: Site, tmp_path: Path
) -> None:
    arguments = (f"url={site.url}/", "depth=2")
    crawl(tmp_path, *arguments)
    before = len(site.requests)
    sent = {request.url: site.sent_bytes(request.url) for request in site.requests}
    run = crawl(tmp_path, *arguments)
    again = {request.url for request in site.requests[before:] if site.sent_bytes(request.url) > sent[request.url]}
    proven = {url for url, source in run.sources.items() if source["status"] == "unchanged" and source["etag"]}
    assert len(proven) > 40
    assert not again & proven


def test_a_known_file_that_opts_out_now_is_told_as_such(tmp_path: Path) -> None:
    headers = MP3 | {"ETag": '"one"'}
    with Shelf({"/surf.mp3": (SURF, headers)}) as shelf:
        crawl(tmp_path, f"url={shelf.url}/")
        shelf.answers["/surf.mp3"] = (SURF, headers | {"X-Robots-Tag": "noai"})
        run = crawl(tmp_path, f"url={shelf.url}/")
        after = rows(run, shelf)["/surf.mp3"]
    assert (after["status"], after["last_status"], after["opt_out"]) == ("stored", "opted_out", "X-Robots-Tag: noai")
