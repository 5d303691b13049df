import pytest

from audiocrawler.discovery import Kind
from tests.discovery.pages import in_html, in_text, urls


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
    assert len(urls(in_html(f'<iframe src="{src}"></iframe>'), Kind.EMBED)) == 1
    assert len(urls(in_html(f'<iframe data-src="{src}"></iframe>'), Kind.EMBED)) == 1


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
