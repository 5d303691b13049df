"""Links to further pages are found, whatever else a page says."""

from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import HtmlResponse

from audiocrawler.config.arguments import Arguments
from audiocrawler.discovery import find
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
    links = page_links(page, "a.example", arguments) if depth else []
    requests = follower.follow(page, list(find(page)), links)
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
