"""Links to further pages are found, whatever else a page says."""

from scrapy.http import HtmlResponse

from audiocrawler.config.arguments import Arguments
from audiocrawler.spiders.links import page_links

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
