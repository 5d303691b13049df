"""Links to further pages are found, whatever else a page says."""

from collections import deque
from typing import Any
from urllib.parse import urlsplit

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse

from audiocrawler.config.arguments import Arguments
from audiocrawler.discovery import find
from audiocrawler.spiders import links
from audiocrawler.spiders.links import FEED_PAGE, MAX_LIST_PAGES, Follower, page_links

ARGUMENTS = Arguments(url=("https://a.example/",), depth=1)


def links_of(html: str) -> list[str]:
    return page_links(HtmlResponse("https://a.example/x/y", body=html.encode()), "a.example", ARGUMENTS)


def test_a_base_that_is_no_url_counts_for_nothing() -> None:
    assert links_of('<base href="http://["><a href="z">z</a>') == ["https://a.example/x/z"]
    assert links_of('<BASE href="http://[::1"><a href="/z">z</a>') == ["https://a.example/z"]


def test_a_link_that_is_no_url_is_left_out() -> None:
    assert links_of('<a href="http://[::1/">x</a><a href="http://a:b/">x</a><a href="z">z</a>') == [
        "https://a.example/x/z"
    ]


def followed(body: str, meta: dict[str, Any], depth: int = 0) -> list[tuple[str, int, int]]:
    """Return the path, level and nesting of what is requested after a page."""
    arguments = Arguments(url=("https://a.example/",), depth=depth)
    request = Request("https://a.example/list", meta={"site": "a.example", "level": 0, "nesting": 0} | meta)
    page = HtmlResponse(request.url, body=body.encode(), request=request)
    follower = Follower(arguments, parse=print, failed=print)
    found = page_links(page, "a.example", arguments) if depth else []
    requests = follower.follow(page, list(find(page)), found)
    return [(urlsplit(each.url)._replace(scheme="", netloc="").geturl(), *where(each)) for each in requests]


def where(request: Request) -> tuple[int, int]:
    return request.meta["level"], request.meta["nesting"]


def test_the_pages_of_a_list_are_bounded() -> None:
    body = '<a rel="next" href="/list?page=2">x</a>'
    assert followed(body, {}) == [("/list?page=2", 0, 0)]
    assert followed(body, {FEED_PAGE: MAX_LIST_PAGES - 1}) == [("/list?page=2", 0, 0)]
    assert followed(body, {FEED_PAGE: MAX_LIST_PAGES}) == []


def test_the_next_article_is_a_level_deeper() -> None:
    assert followed('<link rel="next" href="/other">', {}) == []
    assert followed('<link rel="next" href="/other">', {}, depth=1) == [("/other", 1, 0)]


def test_numbered_pages_cost_no_depth_either() -> None:
    body = '<a href="/list?page=2">2</a><a href="/list?page=9">9</a><a href="/item">i</a>'
    assert followed(body, {}, depth=1) == [("/list?page=2", 0, 0), ("/list?page=9", 0, 0), ("/item", 1, 0)]


def noted(body: str, meta: dict[str, Any], follower: Follower | None = None) -> list[str]:
    """Return what a page's follower leaves out."""
    request = Request("https://a.example/list", meta={"site": "a.example", "level": 0, "nesting": 0} | meta)
    page = HtmlResponse(request.url, body=body.encode(), request=request)
    follower = follower or Follower(ARGUMENTS, parse=print, failed=print)
    deque(follower.follow(page, list(find(page)), page_links(page, "a.example", ARGUMENTS)), maxlen=0)
    return list(page.meta.get("left_out", ()))


def test_where_a_list_or_a_nest_ends_it_is_said() -> None:
    following = '<a rel="next" href="/list?page=2">x</a>'
    assert noted(following, {}) == []
    assert noted(following, {FEED_PAGE: MAX_LIST_PAGES}) == ["the pages of the list after the first 1000"]
    assert noted('<a href="/list.m3u">x</a>', {"nesting": 4}) == ["playlists and players more than 4 deep"]
    assert noted('<iframe src="/inner.html"></iframe>', {"frames": 4}) == ["frames more than 4 deep"]


def test_links_beyond_the_bound_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MAX_LINKS", 3)
    page = "".join(f'<a href="/item{number}">x</a>' for number in range(4))
    assert noted(page, {}) == ["all links to pages after the first 3"]


def test_traps_are_said_once_a_host() -> None:
    follower = Follower(ARGUMENTS, parse=print, failed=print)
    said = noted(f'<a href="/{"a/" * 9}x">x</a><a href="/{"b/" * 9}x">x</a>', {}, follower)
    assert said == ["https://a.example/a/a/a/a/a/a/a/a/a/x and others like it: the path is long, or repeats itself"]
    assert noted(f'<a href="/{"c/" * 9}x">x</a>', {}, follower) == []


def test_the_end_of_a_long_page_is_searched_for_links() -> None:
    assert links_of(f"<p>{'word ' * 1_700_000}<a href='/last'>x</a>") == ["https://a.example/last"]
