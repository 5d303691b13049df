from base64 import urlsafe_b64encode

import pytest

from audiocrawler.discovery import Kind
from tests.discovery.pages import in_html, the_one, urls


def test_a_link_gives_its_url_and_its_text():
    found = the_one(in_html('<a href="../a.MP3?sig=1&amp;t=2" title="64 kbps">Listen <b>now</b></a>'))
    assert found.url == "https://site.example/a.MP3?sig=1&t=2"
    assert (found.link_text, found.title, found.found_by) == ("Listen now", None, "a_href")
    assert the_one(in_html('<a href="a.mp3" title="64 kbps"><img></a>')).link_text == "64 kbps"


def test_a_declared_type_makes_a_link_audio_without_an_extension():
    assert urls(in_html('<a type="audio/mpeg" href="/get/42">x</a>')) == ["https://site.example/get/42"]


def test_image_map_areas_and_preloads_are_links():
    found = in_html('<area href="a.mp3"><link rel="preload" as="audio" href="/b"><link rel="enclosure" href="c.ogg">')
    assert urls(found) == [f"https://site.example/{path}" for path in ("shows/a.mp3", "b", "shows/c.ogg")]


def test_links_to_pages_are_not_candidates():
    assert in_html('<a href="/a.html">a</a><a href="/wiki/mp3">b</a><a href="https://www.mp3.com/">c</a>') == []


def test_playlists_are_to_be_followed():
    assert urls(in_html('<a href="radio.mp3.m3u">x</a>'), Kind.PLAYLIST) == ["https://site.example/shows/radio.mp3.m3u"]


def test_announced_feeds_are_found_but_not_those_of_comments():
    found = in_html(
        '<link rel="alternate" type="application/rss+xml" title="Show" href="/feed/">'
        '<link rel="alternate" type="application/rss+xml" title="Show Comments" href="/comments/feed/">'
        '<link rel="alternate" type="application/atom+xml" title="Kommentar-Feed" href="/x/feed/">'
    )
    assert urls(found, Kind.FEED) == ["https://site.example/feed/"]


def test_a_link_to_google_podcasts_carries_the_feed():
    encoded = urlsafe_b64encode(b"https://show.example/feed.php?id=1").decode()
    found = in_html(f'<a href="https://podcasts.google.com/?feed={encoded}">x</a>')
    assert urls(found, Kind.FEED) == ["https://show.example/feed.php?id=1"]


def test_a_link_that_is_saved_as_audio_is_audio():
    assert urls(in_html('<a href="/get/42" download="talk.mp3">x</a>')) == ["https://site.example/get/42"]
    assert in_html('<a href="/get/42" download="talk.pdf">x</a><a href="/get/43">x</a>') == []


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        ('<a href="/dl/1" download>Save</a>', Kind.PAGE),
        ('<a href="/dl/1" download>Listen</a>', Kind.EMBED),
        ('<a href="/dl/1" download class="mp3">Save</a>', Kind.EMBED),
        ('<a href="/dl/1" rel="enclosure">Save</a>', Kind.EMBED),
        ('<a href="/files/1/download">interview.wav</a>', Kind.EMBED),
    ],
)
def test_a_download_that_may_be_audio_is_asked_for(link, kind):
    (found,) = in_html(link)
    assert (found.url.startswith("https://site.example/"), found.kind) == (True, kind)


@pytest.mark.parametrize(
    "link",
    [
        '<a href="/report.pdf" download>Listen</a>',
        '<a href="/a.doc" rel="enclosure">x</a>',
        '<a href="/songs/1">interview.wav</a>',
        '<a href="#" download>Listen</a>',
    ],
)
def test_other_links_are_left_alone(link):
    assert in_html(link) == []
