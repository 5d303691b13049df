"""Videos, archives, URLs of other schemes and data: URLs are found, and are no audio."""

import json

import pytest

from audiocrawler.discovery import Kind, choose
from tests.discovery.pages import in_feed, in_html, in_text, the_one, urls


@pytest.mark.parametrize(
    "markup",
    [
        "<video src=/v/talk.mp4></video>",
        "<video><source src=/v/talk.mp4 type=video/mp4></video>",
        "<video data-src=/v/talk.mp4></video>",
        '<a href="/v/talk.mp4">Talk</a>',
        '<meta property="og:video" content="/v/talk.mp4">',
    ],
)
def test_a_video_file_is_a_video(markup: str) -> None:
    found = the_one(in_html(markup), Kind.VIDEO)
    assert found.url == "https://site.example/v/talk.mp4"
    assert urls(in_html(markup)) == []


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="/src/main.ts">x</a>',
        '<a href="/wiki/File:Talk.webm">x</a>',
        '<a href="/paper.pdf">x</a>',
        "<video src=blob:https://site.example/1></video>",
    ],
)
def test_other_links_are_no_video(markup: str) -> None:
    assert urls(in_html(markup), Kind.VIDEO) == []


def test_what_is_audio_elsewhere_in_the_page_is_no_video() -> None:
    found = in_html('<audio src="/a.mp4"></audio><a href="/a.mp4">x</a>')
    assert (urls(found), urls(found, Kind.VIDEO)) == (["https://site.example/a.mp4"], [])


def test_a_feeds_video_is_another_form_of_its_audio_and_never_the_best() -> None:
    item = (
        '<item><enclosure url="https://cdn.example/1.mp3" type="audio/mpeg"/>'
        '<media:content url="https://cdn.example/1.mp4" type="video/mp4" bitrate="4000"/></item>'
        '<item><enclosure url="https://cdn.example/2" type="video/mp4" length="1234"/><title>Two</title></item>'
    )
    found = in_feed(item)
    assert urls(found, Kind.VIDEO) == ["https://cdn.example/1.mp4", "https://cdn.example/2"]
    assert [each.url for each, is_taken in choose(found) if is_taken] == [
        "https://cdn.example/1.mp3",
        "https://cdn.example/2",
    ]
    assert found[-1].size_bytes == 1234
    assert found[-1].title == "Two"


def test_structured_data_names_videos_and_archives() -> None:
    value = {"contentUrl": "https://cdn.example/a.mp4?x=1", "data": "https://cdn.example/b.tar.gz", "name": "a.mp4"}
    found = in_text(json.dumps(value).replace("/", "\\/"), "application/json")
    assert urls(found, Kind.VIDEO) == ["https://cdn.example/a.mp4?x=1"]
    assert urls(found, Kind.ARCHIVE) == ["https://cdn.example/b.tar.gz"]


ARCHIVES = "a.zip a.tar a.tar.gz a.TGZ a.tar.bz2 a.tar.xz a.tar.zst a.7z a.rar a.zip?x=1"


@pytest.mark.parametrize(
    "markup",
    [
        *(f'<a href="/{name}">All</a>' for name in ARCHIVES.split()),
        '<a href="/get.php?file=a.zip">x</a>',
        '<a href="/dl/1" download="a.zip">x</a>',
        '<a href="/dl/1" type="application/zip">x</a>',
    ],
)
def test_a_linked_archive_is_an_archive(markup: str) -> None:
    assert len(urls(in_html(markup), Kind.ARCHIVE)) == 1


def test_an_archive_of_a_feed_is_an_archive() -> None:
    found = in_feed(
        '<item><title>Album</title><enclosure url="https://cdn.example/a.zip" type="application/zip"/></item>'
    )
    assert the_one(found, Kind.ARCHIVE).title == "Album"


def test_no_other_link_is_an_archive() -> None:
    body = '<a href="/zip/">x</a><a href="/a.gz">x</a><a href="/a.zip.html">x</a><a href="/x?q=a.zipper">x</a>'
    assert urls(in_html(body), Kind.ARCHIVE) == []


def test_urls_of_other_schemes_are_kept_as_they_are() -> None:
    found = in_html(
        '<a href="ftp://ftp.example/pub/a.wav">a</a><a href="ftp://ftp.example/pub/?a=1&amp;b=2">b</a>'
        '<a href="ftp://ftp.example/paper.pdf">c</a><p>rtsp://cam.example/live</p>'
    )
    assert urls(found, Kind.OTHER_SCHEME) == [
        "ftp://ftp.example/pub/a.wav",
        "ftp://ftp.example/pub/?a=1&b=2",
        "rtsp://cam.example/live",
    ]
    assert urls(in_text("#EXTM3U\nftp://ftp.example/b.mp3\n", "audio/x-mpegurl"), Kind.OTHER_SCHEME) == [
        "ftp://ftp.example/b.mp3"
    ]


def test_data_urls_of_players_are_found_and_those_of_images_are_not() -> None:
    found = in_html(
        '<audio src="data:audio/wav;base64,UklGRg=="></audio><a href="data:audio/mpeg,%49D3">b</a>'
        '<img src="data:image/png;base64,AAAA"><a href="data:text/plain,a">c</a>'
    )
    assert urls(found, Kind.DATA) == ["data:audio/wav;base64,UklGRg==", "data:audio/mpeg,%49D3"]


def test_what_is_no_url_is_left_alone() -> None:
    assert urls(in_html("<p>ftp://[bad/a.wav ftp://:0/a.wav mms://x:99999999/a rtmp://</p>"), Kind.OTHER_SCHEME) == []
