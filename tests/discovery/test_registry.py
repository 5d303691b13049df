import pytest
from scrapy.http import HtmlResponse

from audiocrawler.discovery import DEFAULT_FINDERS, find

PAGE = HtmlResponse(
    "https://site.example/", body=b'<a href="/a.mp3">x</a><audio src="/b.mp3"></audio>', encoding="utf-8"
)
LINKS = "audiocrawler.discovery.finders.markup.find_links"


def test_only_the_given_finders_run():
    assert [each.url for each in find(PAGE, {LINKS: 1})] == ["https://site.example/a.mp3"]


def test_a_finder_is_switched_off_with_none():
    assert [each.url for each in find(PAGE, {**DEFAULT_FINDERS, LINKS: None})] == ["https://site.example/b.mp3"]


def test_finders_run_in_the_order_of_their_numbers():
    reordered = {path: -order for path, order in DEFAULT_FINDERS.items()}
    assert [each.url for each in find(PAGE)] == ["https://site.example/b.mp3", "https://site.example/a.mp3"]
    assert [each.url for each in find(PAGE, reordered)] == ["https://site.example/a.mp3", "https://site.example/b.mp3"]


def test_a_wrong_path_is_named():
    with pytest.raises((ImportError, AttributeError), match="nowhere"):
        list(find(PAGE, {"audiocrawler.discovery.finders.nowhere.find": 1}))
