from urllib.parse import urljoin

import pytest

from audiocrawler.discovery import Kind
from tests.discovery.pages import PAGE_URL, in_html, in_text, urls


@pytest.mark.parametrize(
    "src",
    [
        "https://w.soundcloud.com/player/?url=x",
        "//embed.acast.com/show/1",
        "https://share.transistor.fm/e/1",
        "https://archive.org/embed/item",
        "/news/audio12-player_image-1.html",
    ],
)
def test_players_of_audio_hosts_are_to_be_followed(src):
    for name in ("src", "data-src"):
        assert urljoin(PAGE_URL, src) in urls(in_html(f'<iframe {name}="{src}"></iframe>'), Kind.EMBED)


@pytest.mark.parametrize(
    "src",
    [
        "https://www.youtube.com/embed/1?audio=player",
        "https://ads.example/frame.html",
        "https://secure.soundcloud.com/web-auth?x",
        "about:blank",
        "",
    ],
)
def test_other_frames_are_not(src):
    assert in_html(f'<iframe src="{src}"></iframe>') == []


def test_half_a_character_in_an_oembed_answer_does_not_hide_the_player():
    found = in_text(r'{"html": "\ud83d <iframe src=\"https://chirb.it/wp/1\">"}', "application/json")
    assert urls(found, Kind.EMBED) == ["https://chirb.it/wp/1"]


def test_the_player_in_an_oembed_answer_is_followed():
    found = in_text(
        r'{"type": "rich", "html": "<iframe src=\"https:\/\/chirb.it\/wp\/1\"><\/iframe>"}', "application/json"
    )
    assert urls(found, Kind.EMBED) == ["https://chirb.it/wp/1"]


@pytest.mark.parametrize(
    ("src", "source"),
    [
        (
            "https://embed.acast.com/a-show/an-episode?x",
            "https://feeder.acast.com/api/v1/shows/a-show/episodes/an-episode",
        ),
        ("https://embed.podcasts.apple.com/de/podcast/x/id12?i=34", "https://itunes.apple.com/lookup?id=12"),
        ("//archive.org/embed/an-item&playlist=1", "https://archive.org/metadata/an-item"),
        ("https://embeds.audioboom.com/posts/12/embed/v4", "https://audioboom.com/posts/12"),
        ("https://clyp.it/ab12/widget", "https://api.clyp.it/ab12"),
        ("https://playlist.megaphone.fm/?light=1&e=AB12", "https://player.megaphone.fm/AB12"),
        (
            "https://player.simplecast.com/01234567-89ab-cdef-0123-456789abcdef?dark=true",
            "https://api.simplecast.com/episodes/01234567-89ab-cdef-0123-456789abcdef",
        ),
        ("https://widget.spreaker.com/player?episode_id=12&theme=x", "https://api.spreaker.com/v2/episodes/12"),
    ],
)
def test_players_that_are_empty_shells_come_with_the_document_that_they_play(src, source):
    assert source in urls(in_html(f'<iframe src="{src}"></iframe>'), Kind.EMBED)


def test_the_player_of_a_whole_show_comes_with_its_feed():
    found = in_html('<iframe src="https://widget.spreaker.com/player?show_id=12"></iframe>')
    assert urls(found, Kind.FEED) == ["https://www.spreaker.com/show/12/episodes/feed"]


def test_players_that_scripts_put_into_the_page_are_found():
    found = in_html(
        '<script src="https://www.buzzsprout.com/12/episodes/34-x.js?player=small"></script>'
        '<script class="podigee-podcast-player" src="https://player.podigee-cdn.net/podigee-podcast-player.js" '
        'data-configuration="https://show.podigee.io/1-x/embed?context=external"></script>'
    )
    assert urls(found, Kind.EMBED) == [
        "https://www.buzzsprout.com/12/34?client_source=small_player&iframe=true",
        "https://show.podigee.io/1-x/embed?context=external",
    ]
    assert in_html('<script src="https://widget.soundcloud.example/player/api.js"></script>') == []
