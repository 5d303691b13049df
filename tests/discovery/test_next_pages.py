"""The next page of a list, however it is named: by a link, a button, a member of JSON, a header, a sitemap."""

import json
from typing import Any

import pytest
from scrapy.http import TextResponse

from audiocrawler.discovery import Candidate, Kind
from audiocrawler.discovery.candidate import Relation
from audiocrawler.discovery.paging import is_next_page, is_same_list, next_pages_in_headers
from tests.discovery.pages import in_html, in_text, urls

SITE = "https://site.example"


def next_in(candidates: list[Candidate]) -> list[tuple[str, Kind]]:
    return [(each.url.removeprefix(SITE), each.kind) for each in candidates if each.relation is Relation.NEXT_PAGE]


@pytest.mark.parametrize(
    "markup",
    [
        '<link rel="next" href="?page=2">',
        '<a rel="nofollow next" href="page.html?page=2">Older</a>',
        '<a class="next page-numbers" href="?page=2">&raquo;</a>',
        '<ul><li class="pager-next"><a href="?page=2">2</a></li></ul>',
        '<a aria-label="Next page" href="?page=2">x</a>',
        '<a href="?page=2">Next \u00bb</a>',
        '<a href="?page=2">Weiter</a>',
        '<div id=list data-next-page-url="?page=2"></div>',
    ],
)
def test_a_link_to_the_next_page_is_a_page(markup: str) -> None:
    assert next_in(in_html(markup)) == [("/shows/page.html?page=2", Kind.PAGE)]


@pytest.mark.parametrize(
    "markup",
    [
        '<button class="btn load-more" data-next-url="/more/2">More</button>',
        '<button data-url="/more/2">Load more</button>',
        '<a id="show-more" href="/more/2">Show</a>',
        '<button hx-get="/more/2" hx-target="#l">Show more episodes</button>',
        '<div hx-get="/more/2" hx-trigger="revealed"></div>',
    ],
)
def test_what_a_button_loads_is_followed_like_a_feed(markup: str) -> None:
    assert next_in(in_html(markup)) == [("/more/2", Kind.FEED)]


@pytest.mark.parametrize(
    "markup",
    [
        '<a rel="next" href="https://elsewhere.example/page/2">x</a>',
        '<a class="next" href="#slide-2">x</a>',
        '<a class="next" href="javascript:next()">Next</a>',
        '<button class="load-more" data-next-url="/pictures/2.jpg">x</button>',
        '<button class="load-more">Load more</button>',
        '<a href="/read-more">Read more about what comes next in our long series of episodes</a>',
    ],
)
def test_other_links_are_no_next_page(markup: str) -> None:
    assert next_in(in_html(markup)) == []


def json_of(value: Any, url: str = f"{SITE}/api/tracks") -> list[tuple[str, Kind]]:
    return next_in(in_text(json.dumps(value), "application/json", url))


@pytest.mark.parametrize(
    "value",
    [
        {"results": [1], "next": f"{SITE}/api/tracks?page=2"},
        {"data": [1], "links": {"next": "/api/tracks?page=2"}},
        {"data": [1], "links": {"next": {"href": "/api/tracks?page=2"}}},
        {"_embedded": {"x": [1]}, "_links": {"next": {"href": "/api/tracks?page=2"}}},
        {"value": [1], "@odata.nextLink": f"{SITE}/api/tracks?page=2"},
        {"data": [1], "next_page_url": f"{SITE}/api/tracks?page=2"},
        {"data": [1], "paging": {"next": f"{SITE}/api/tracks?page=2"}},
        {"tracks": {"items": [1], "next": f"{SITE}/api/tracks?page=2"}},
        {"items": [1], "links": [{"rel": "self", "href": "/a"}, {"rel": "next", "href": "/api/tracks?page=2"}]},
        {"type": "OrderedCollection", "first": {"orderedItems": [1], "next": "/api/tracks?page=2"}},
        {"items": [1], "next_page": 2},
        {"recordings": [1], "page": 1, "numPages": "3"},
        {"items": [1], "meta": {"current_page": 1, "last_page": 9}},
    ],
)
def test_an_answer_names_its_next_page(value: Any) -> None:
    assert json_of(value) == [("/api/tracks?page=2", Kind.FEED)]


def test_tokens_and_parameters_to_add_are_added() -> None:
    assert json_of({"items": [1], "nextPageToken": "a b="}) == [("/api/tracks?pageToken=a%20b%3D", Kind.FEED)]
    further = {"query": {"pages": [1]}, "continue": {"aicontinue": "B.ogg", "continue": "-||"}}
    assert json_of(further, f"{SITE}/api.php?aicontinue=A.ogg&f=json") == [
        ("/api.php?f=json&aicontinue=B.ogg&continue=-%7C%7C", Kind.FEED)
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"next": None, "results": [1]},
        {"next": f"{SITE}/api/tracks", "results": [1]},
        {"next": "https://elsewhere.example/x?page=2", "results": [1]},
        {"next": "chapter two", "results": [1]},
        {"next": "/other/episode"},
        {"items": [1], "page": 3, "pages": 3},
        {"items": [1], "next_page": True},
    ],
)
def test_an_answer_without_a_next_page_names_none(value: Any) -> None:
    assert json_of(value) == []


def in_headers(url: str = f"{SITE}/wp-json/wp/v2/media?per_page=9", **headers: str) -> list[str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [each.url.removeprefix(SITE) for each in next_pages_in_headers(TextResponse(url, headers=named, body=b"[]"))]


def test_headers_name_the_next_page() -> None:
    assert in_headers(Link=f'<{SITE}/a>; rel="prev", <{SITE}/b?page=2>; title="x, y"; rel="next last"') == ["/b?page=2"]
    assert in_headers(Link="</c>; rel=next") == ["/c"]
    assert in_headers(Link="<https://elsewhere.example/c>; rel=next") == []
    assert in_headers(X_WP_TotalPages="3") == ["/wp-json/wp/v2/media?per_page=9&page=2"]
    assert in_headers(f"{SITE}/x?page=3", X_WP_TotalPages="3") == []
    assert in_headers(f"{SITE}/x?page=3", X_Next_Page="4") == ["/x?page=4"]
    assert in_headers(Link="</style.css>; rel=preload") == []


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("/list", "/list?page=2"),
        ("/list?page=2", "/list?page=3"),
        ("/blog/", "/blog/page/2/"),
        ("/blog/page/2/", "/blog/page/3/"),
        ("/list", "/list/2"),
        ("/a/index.html", "/a/page-2.html"),
        ("/list?sort=new", "/list?sort=new&cursor=abc"),
        ("/", "/?paged=2"),
    ],
)
def test_pages_of_one_list_are_told_by_their_urls(url: str, other: str) -> None:
    assert is_next_page(SITE + url, SITE + other, is_in_list=False)


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("/2024/05/storm", "/2024/06/calm"),
        ("/episode/12", "/episode/13"),
        ("/list", "/list"),
        ("/list?sort=new", "/list?sort=old"),
        ("/list", "/other?page=2"),
    ],
)
def test_the_next_article_is_no_page_of_a_list(url: str, other: str) -> None:
    assert not is_next_page(SITE + url, SITE + other, is_in_list=False)


def test_bare_numbers_count_within_a_list() -> None:
    assert is_next_page(f"{SITE}/list/2", f"{SITE}/list/3", is_in_list=True)
    assert is_same_list(f"{SITE}/list?page=2", f"{SITE}/list?page=7")
    assert not is_same_list(f"{SITE}/?p=12", f"{SITE}/?p=13")


def test_a_plain_list_of_urls_is_a_sitemap() -> None:
    found = in_text(f"\ufeff{SITE}/one\r\n\r\n{SITE}/two?x=1\n{SITE}/three.mp3\n", "text/plain")
    assert urls(found, Kind.PAGE) == [f"{SITE}/one", f"{SITE}/two?x=1"]
    assert urls(found) == [f"{SITE}/three.mp3"]
    assert in_text(f"Our pages:\n{SITE}/one\n", "text/plain") == []


def test_a_page_links_to_its_sitemap() -> None:
    assert urls(in_html('<link rel="sitemap" href="/map.xml">'), Kind.PLAYLIST) == [f"{SITE}/map.xml"]
