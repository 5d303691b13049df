import pytest

from audiocrawler.discovery import Kind
from tests.discovery.pages import in_feed, in_text, the_one, urls

ITEM = '<item><enclosure url="/1.mp3" type="audio/mpeg"/></item>'
WORDPRESS = "<generator>https://wordpress.org/?v=6.4</generator>"


@pytest.mark.parametrize("relation", ["next", "prev-archive"])
def test_the_page_that_a_feed_names_as_the_next_is_a_feed(relation):
    found = in_feed(ITEM, head=f'<atom:link rel="{relation}" href="/feed.xml?page=2"/>')
    assert urls(found, Kind.FEED) == ["https://site.example/feed.xml?page=2"]
    assert the_one(found, Kind.FEED).found_by == "feed_next"


def test_the_feed_itself_its_first_and_its_last_page_are_not():
    links = "".join(f'<atom:link rel="{name}" href="/{name}.xml"/>' for name in ("self", "first", "last", "previous"))
    assert urls(in_feed(ITEM, head=links), Kind.FEED) == []


def test_wordpress_serves_older_episodes_under_a_parameter():
    def next_of(url: str) -> list[str]:
        return urls(in_text(f"<rss><channel>{WORDPRESS}{ITEM}</channel></rss>", "text/xml", url), Kind.FEED)

    assert next_of("https://site.example/feed/") == ["https://site.example/feed/?paged=2"]
    assert next_of("https://site.example/?feed=rss2&paged=9") == ["https://site.example/?feed=rss2&paged=10"]


def test_a_page_without_audio_is_the_last_one_asked_for():
    assert in_feed("<item><title>News</title></item>", head=WORDPRESS) == []


def test_other_feeds_have_no_further_pages():
    assert urls(in_feed(ITEM), Kind.FEED) == []


def test_a_json_feed_names_its_next_page():
    found = in_text(
        '{"version": "https://jsonfeed.org/version/1.1", "next_url": "/feed.json?page=2", "items": []}',
        "application/feed+json",
    )
    assert urls(found, Kind.FEED) == ["https://site.example/feed.json?page=2"]
