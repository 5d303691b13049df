from typing import Any

import pytest

from audiocrawler.discovery import Candidate, Kind, Role, choose
from tests.discovery.pages import in_html


def file(url: str, **said: Any) -> Candidate:
    said = {"kind": Kind.AUDIO, "group": "one"} | said
    return Candidate(url=f"https://cdn.example/{url}", found_by="audio_src", confidence=0.9, **said)


def taken(*candidates: Candidate) -> list[str]:
    return [each.url.removeprefix("https://cdn.example/") for each, is_taken in choose(candidates) if is_taken]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (file("a.flac"), file("a.mp3", bit_rate_bps=320_000)),
        (file("a", mime_type="audio/x-wav"), file("a.ogg")),
        (file("a.mp3", bit_rate_bps=192_000), file("b.mp3", bit_rate_bps=64_000)),
        (file("a_128kb.mp3"), file("a_64kb.mp3")),
        (file("a-192kbps.mp3"), file("a-96k.ogg")),
        (file("mp3-320/1"), file("mp3-128/1")),
        (file("a.mp3"), file("a_64kb.mp3")),
        (file("a.mp3", size_bytes=9_000_000), file("b.mp3", size_bytes=4_000_000)),
        (file("a.mp3", size_bytes=2_000_000, duration_ms=60_000), file("b_192kb.mp3")),
        (file("commons/1/a.ogg"), file("commons/transcoded/1/a.ogg/a.ogg.320kbps.mp3")),
        (file("a.mp3"), file("a.flac", is_derivative=True)),
        (file("a.mp3"), file("a.wav", role=Role.PREVIEW)),
    ],
)
def test_the_better_file_is_taken_wherever_it_stands(better, worse):
    name = better.url.removeprefix("https://cdn.example/")
    assert taken(better, worse) == taken(worse, better) == [name]


def test_what_has_no_advertisements_stitched_in_is_preferred():
    clean = file("a.mp3", bit_rate_bps=64_000)
    stitched = file("a.mp3", bit_rate_bps=128_000)
    stitched.url = "https://stitcher.host.example/a.mp3"
    assert list(choose([stitched, clean])) == [(stitched, False), (clean, True)]


def test_where_nothing_tells_the_authors_order_decides():
    assert taken(file("b.mp3"), file("a.ogg"), file("c.opus")) == ["b.mp3"]


def test_numbers_that_are_no_bit_rates_tell_nothing():
    assert taken(file("track-1.mp3"), file("2024-kb.mp3"), file("96kittens.mp3")) == ["track-1.mp3"]


def test_each_group_gives_one_and_what_has_no_group_is_taken():
    two = [file("c.ogg", group="two"), file("c.wav", group="two")]
    alone = [file("d.mp3", group=None), file("e.mp3", group=None)]
    assert taken(file("a.mp3"), file("a.wav"), *two, *alone) == ["a.wav", "c.wav", "d.mp3", "e.mp3"]


def test_a_stream_or_playlist_is_taken_as_it_is():
    assert taken(file("x.m3u8", kind=Kind.MANIFEST, group=None)) == ["x.m3u8"]


def test_of_the_sources_of_a_player_one_is_taken():
    found = in_html(
        '<audio controls><source src="/a.ogg"><source src="/a.wav"><source src="/a.mp3"></audio><a href="/b.mp3">b</a>'
    )
    assert [each.url for each, is_taken in choose(found) if is_taken] == [
        "https://site.example/a.wav",
        "https://site.example/b.mp3",
    ]
