"""Pages as well-known platforms make them, cut down to what carries the audio."""

import json
from html import escape
from typing import Any

from audiocrawler.discovery import Candidate, Kind, choose
from audiocrawler.model.statements import Statement
from tests.discovery.pages import in_html, in_text, the_one, urls


def chosen(candidates: list[Candidate]) -> list[str]:
    return [each.url for each, is_taken in choose(candidates) if is_taken]


def test_an_item_of_the_internet_archive_gives_originals_and_what_was_derived_from_them():
    files = [
        {"name": "01 Song.flac", "source": "original", "title": "Song", "length": "61.5", "size": "9000"},
        {"name": "01 Song.mp3", "source": "derivative", "original": "01 Song.flac", "length": "01:01", "size": "900"},
        {"name": "02.wav", "source": "derivative", "original": "02.mp3"},
        {"name": "02.mp3", "source": "original"},
        {"name": "02.png", "source": "derivative", "original": "02.mp3"},
        {"name": "03.mp3", "source": "original", "private": "true"},
    ]
    about = {"identifier": "an-item", "creator": ["Ada", "Bob"], "licenseurl": "https://cc.example/by/", "title": "Set"}
    found = in_text(json.dumps({"files": files, "metadata": about}), "application/json")
    download = "https://archive.org/download/an-item"
    assert urls(found) == [f"{download}/{name}" for name in ("01%20Song.flac", "01%20Song.mp3", "02.wav", "02.mp3")]
    assert (found[0].title, found[0].artist, found[0].duration_ms, found[0].size_bytes) == ("Song", "Ada", 61_500, 9000)
    assert found[2].statements == (Statement(None, "https://cc.example/by/", "archive_org"),)
    assert chosen(found) == [f"{download}/01%20Song.flac", f"{download}/02.mp3"]


def test_a_page_of_the_internet_archive_leads_to_its_list_of_files():
    for kind in ("details", "embed"):
        found = in_html("<p>x</p>", f"https://archive.org/{kind}/an-item?x=1")
        assert urls(found, Kind.EMBED) == ["https://archive.org/metadata/an-item"]


def test_a_file_page_of_wikimedia_offers_the_original_before_its_transcodes():
    media = "https://upload.wikimedia.org/wikipedia/commons"
    found = in_html(
        f'<div class="fullMedia"><a href="{media}/a/ab/Name.wav">Original file</a></div>'
        f'<audio controls data-durationhint="12"><source src="{media}/transcoded/a/ab/Name.wav/Name.wav.ogg" type='
        f'"audio/ogg"><source src="{media}/transcoded/a/ab/Name.wav/Name.wav.mp3" type="audio/mpeg">'
        f'<source src="{media}/a/ab/Name.wav" type="audio/wav"></audio><a href="/wiki/File:Other.ogg">Other</a>',
        "https://commons.wikimedia.org/wiki/File:Name.wav",
    )
    assert len(urls(found)) == 3
    assert {each.duration_ms for each in found if each.kind is Kind.AUDIO} == {12_000}
    assert chosen([each for each in found if each.kind is Kind.AUDIO]) == [f"{media}/a/ab/Name.wav"]
    assert urls(found, Kind.PAGE) == ["https://commons.wikimedia.org/wiki/File:Other.ogg"]


def test_a_chapter_of_librivox_in_two_bit_rates_is_one_recording():
    folder = "https://www.archive.org/download/book_1"
    found = in_html(
        "<table class='chapter-download'>"
        + "".join(
            f"<tr><td><a href='{folder}/book_{number}_64kb.mp3' class='play-btn'>Play</a> {number}</td>"
            f"<td><a href='{folder}/book_{number}_128kb.mp3' class='chapter-name'>Chapter {number}</a></td>"
            "<td>Ada</td><td>00:12:34</td></tr>"
            for number in ("01", "02")
        )
        + "</table>"
    )
    assert chosen(found) == [f"{folder}/book_01_128kb.mp3", f"{folder}/book_02_128kb.mp3"]
    assert [(each.link_text, each.duration_ms) for each in found[:2]] == [("Play", 754_000), ("Chapter 01", 754_000)]


def bandcamp(album: dict[str, Any]) -> list[Candidate]:
    other = json.dumps({"mp3-128": "https://t4.host.example/stream/9/mp3-128/9"})
    return in_html(
        f'<script data-tralbum="{escape(json.dumps(album))}"></script><li class="recommended-album" data-artist="Bob"'
        f' data-tracktitle="Theirs" data-audiourl="{escape(other)}"></li>'
    )


def test_an_album_of_bandcamp_gives_its_tracks_and_leaves_recommendations_to_their_artists():
    album = {
        "artist": "Ada",
        "current": {"release_date": "28 Nov 2013 00:00:00 GMT"},
        "trackinfo": [
            {"title": "One", "duration": 61.5, "file": {"mp3-128": "https://t4.host.example/stream/1/mp3-128/1"}},
            {"title": "Two", "duration": 9, "file": None},
        ],
    }
    found = bandcamp(album)
    assert [(each.title, each.artist, each.duration_ms) for each in found] == [
        ("One", "Ada", 61_500),
        ("Theirs", "Bob", None),
    ]
    assert found[0].published_at is not None
    assert found[0].published_at.year == 2013


def test_a_playlist_of_wordpress_gives_titles_artists_and_durations():
    playlist = {
        "type": "audio",
        "tracks": [
            {
                "src": "https://site.example/wp-content/uploads/1.mp3",
                "type": "audio/mpeg",
                "title": "One",
                "meta": {"artist": "Ada", "album": "Set", "length_formatted": "1:01"},
                "image": {"src": "https://site.example/wp-content/uploads/1.jpg"},
            }
        ],
    }
    found = the_one(
        in_html(f'<script class="wp-playlist-script" type="application/json">{json.dumps(playlist)}</script>')
    )
    assert (found.title, found.artist, found.duration_ms) == ("One", "Ada", 61_000)


def test_a_listing_of_nginx_gives_sizes_and_dates():
    found = in_html(
        '<h1>Index of /a/</h1><pre><a href="../">../</a>\n<a href="b/">b/</a>   12-May-2023 10:11      -\n'
        '<a href="one.wav">one.wav</a>           12-May-2023 10:11          1234567\n</pre>'
    )
    one = the_one(found)
    assert one.size_bytes == 1_234_567
    assert one.published_at is not None
    assert one.published_at.isoformat() == "2023-05-12T10:11:00+00:00"


def test_listings_of_apache_give_rounded_sizes():
    plain = '<pre><img> <a href="one.wav">one.wav</a>   2023-05-12 10:11  1.2M  <a href="two.wav">two</a></pre>'
    table = (
        '<table><tr><td><img></td><td><a href="one.wav">one.wav</a></td><td align="right">2023-05-12 10:11  </td>'
        '<td align="right"> 12K</td><td>&nbsp;</td></tr></table>'
    )
    assert in_html(plain)[0].size_bytes == 1_258_291
    assert the_one(in_html(table)).size_bytes == 12_288
    assert in_html(plain)[1].size_bytes is None


def test_jspf_tells_durations_in_milliseconds_and_locations_are_alternates():
    track = {"title": "Song", "creator": "Ada", "duration": 180_000, "location": ["/a.ogg", "/b.flac"]}
    found = in_text(json.dumps({"playlist": {"track": [track, {"location": "/c"}]}}), "application/json")
    assert urls(found) == [f"https://site.example/{name}" for name in ("a.ogg", "b.flac", "c")]
    assert (found[0].title, found[0].artist, found[0].duration_ms) == ("Song", "Ada", 180_000)
    assert found[0].group == found[1].group is not None


def test_relative_urls_in_shortcodes_are_found():
    assert urls(in_html("<p>[audio mp3=\"/a.mp3\" ogg='/b.ogg'][/audio] and src='/c.mp3'</p>")) == [
        "https://site.example/a.mp3",
        "https://site.example/b.ogg",
    ]
