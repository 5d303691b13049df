"""What feeds, lists of feeds and subscription links point to."""

import json

import pytest

from audiocrawler.discovery.candidate import Candidate, Kind, Relation, Role
from audiocrawler.discovery.subscriptions import subscribed_feed
from tests.discovery.pages import in_feed, in_html, in_text, the_one, urls

PAGE = "https://site.example/ep/1"


def in_atom(entry: str, head: str = "") -> list[Candidate]:
    feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title>{head}<entry><title>One</title>{entry}</entry></feed>'
    return in_text(feed, "application/atom+xml", "https://site.example/feed.xml")


@pytest.mark.parametrize(
    "found",
    [
        in_feed(f"<item><title>One</title><link>{PAGE}</link></item>"),
        in_feed("<item><title>One</title><link>ep/1</link><description>words only</description></item>"),
        in_feed(f"<item><title>One</title><guid>{PAGE}</guid></item>"),
        in_feed(f'<item><title>One</title><link>{PAGE}</link><enclosure url="/i.jpg" type="image/jpeg"/></item>'),
        in_feed(f'<item><title>One</title><media:player url="{PAGE}"/></item>'),
        in_atom(f'<link href="{PAGE}"/>'),
        in_atom(f'<link rel="alternate" type="text/html" href="{PAGE}"/><link rel="replies" href="/comments"/>'),
        in_atom(f'<content type="text/html" src="{PAGE}"/>'),
        in_text(
            json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "One", "url": PAGE}]}),
            "application/feed+json",
        ),
    ],
)
def test_the_page_of_an_item_without_audio_is_named_to_follow(found):
    page = the_one(found, Kind.PAGE)
    assert (page.url, page.title, page.relation, len(found)) == (PAGE, "One", Relation.ITEM, 1)


@pytest.mark.parametrize(
    "item",
    [
        '<enclosure url="/a.mp3" type="audio/mpeg"/>',
        '<enclosure url="/play/1" type="audio/mpeg"/>',
        "<description>&lt;audio src='/a.mp3'&gt;</description>",
        '<guid isPermaLink="false">https://site.example/no-page</guid>',
    ],
)
def test_the_page_of_an_item_with_audio_is_not(item):
    link = "" if "guid" in item else f"<link>{PAGE}</link>"
    assert urls(in_feed(f"<item>{link}{item}</item>"), Kind.PAGE) == []


@pytest.mark.parametrize(
    "found",
    [
        in_feed("<item><title>One</title><link>https://cdn.example/a.wav</link></item>"),
        in_feed('<item><title>One</title><guid isPermaLink="true">https://cdn.example/a.wav</guid></item>'),
        in_atom('<content type="audio/wav" src="https://cdn.example/a.wav"/>'),
        in_atom('<link rel="alternate" type="audio/wav" href="https://cdn.example/a.wav"/>'),
        in_atom(
            '<link rel="http://opds-spec.org/acquisition/open-access" type="audio/wav" href="//cdn.example/a.wav"/>'
        ),
    ],
)
def test_a_file_that_an_item_links_to_is_taken(found):
    assert (the_one(found).url, the_one(found).title) == ("https://cdn.example/a.wav", "One")


def test_what_a_catalogue_sells_is_left_and_samples_are_previews():
    rel = "http://opds-spec.org/acquisition"
    links = (f'<link rel="{rel}/{name}" type="audio/mpeg" href="/{name}.mp3"/>' for name in ("buy", "sample"))
    found = in_atom("".join(links))
    assert [(each.url, each.role) for each in found if each.kind is Kind.AUDIO] == [
        ("https://site.example/sample.mp3", Role.PREVIEW)
    ]


CATALOG = "application/atom+xml;profile=opds-catalog;kind=acquisition"


@pytest.mark.parametrize(
    "found",
    [
        in_atom(f'<link rel="subsection" type="{CATALOG}" href="/f"/>'),
        in_atom(f'<link type="{CATALOG}" href="/f"/>', head=f'<link rel="start" type="{CATALOG}" href="/top"/>'),
        in_text(
            json.dumps({"navigation": [{"href": "/f", "title": "New", "type": "application/opds+json"}]}),
            "application/opds+json",
        ),
        in_feed("", head='<podcast:podroll><podcast:remoteItem feedUrl="https://site.example/f"/></podcast:podroll>'),
        in_html('<a href="feed:https://site.example/f">subscribe</a>'),
        in_html('<link rel="alternate" type="application/rss+xml" href="feed://site.example/f">'),
        in_text('{"shows": [{"title": "B", "url_rss": "https://site.example/f"}]}', "application/json"),
    ],
)
def test_other_feeds_are_named_to_follow(found):
    feed = the_one(found, Kind.FEED)
    assert (feed.url.partition("://")[2], feed.relation) == ("site.example/f", None)


@pytest.mark.parametrize(
    "found",
    [
        in_feed("", head="<itunes:new-feed-url>https://site.example/new</itunes:new-feed-url>"),
        in_text("<redirect><newLocation>https://site.example/new</newLocation></redirect>", "text/xml"),
    ],
)
def test_the_new_address_of_a_feed_is_followed_like_its_next_page(found):
    assert [(each.url, each.kind, each.relation) for each in found] == [
        ("https://site.example/new", Kind.FEED, Relation.NEXT_PAGE)
    ]


def test_a_feed_that_names_itself_has_not_moved():
    assert in_feed("", head="<itunes:new-feed-url>https://site.example/feed.xml</itunes:new-feed-url>") == []


def test_the_feeds_and_lists_of_opml_are_listed():
    outlines = (
        '<outline text="A"><outline type="rss" text="B" xmlUrl="/b"/></outline><outline type="rss" URL="/c"/>'
        '<outline type="include" url="/d"/><outline type="link" url="/e.opml"/><outline type="link" url="/page"/>'
    )
    found = in_text(f'<opml version="2.0"><body>{outlines}</body></opml>', "text/x-opml")
    assert [each.url[-2:] for each in found] == ["/b", "/c", "/d", "ml"]
    assert {(each.kind, each.relation) for each in found} == {(Kind.FEED, Relation.LISTED)}


def test_the_stations_of_a_radio_list_are_playlists():
    outline = '<outline type="audio" text="Radio X" URL="https://opml.example/Tune?id=s1"/>'
    station = the_one(in_text(f"<opml><body>{outline}</body></opml>", "text/xml"), Kind.PLAYLIST)
    assert (station.url, station.title) == ("https://opml.example/Tune?id=s1", "Radio X")


def test_a_playlist_of_other_feeds_tracks_lists_them():
    item = '<podcast:remoteItem feedUrl="https://other.example/f" itemGuid="1"/>'
    listed = the_one(in_feed("", head=f"<podcast:medium>musicL</podcast:medium>{item}"), Kind.FEED)
    assert (listed.url, listed.relation) == ("https://other.example/f", Relation.LISTED)


@pytest.mark.parametrize(
    ("link", "feed"),
    [
        ("feed:https://a.example/f", "https://a.example/f"),
        ("feed://a.example/f?x=1&y=2", "http://a.example/f?x=1&y=2"),
        ("itpc://a.example:8000/f.xml", "http://a.example:8000/f.xml"),
        ("ITPC://a.example/f.xml", "http://a.example/f.xml"),
        ("pcast:https://a.example/f", "https://a.example/f"),
        ("podcast://a.example/f", "http://a.example/f"),
        ("zune://subscribe/?Title=https://a.example/f", "https://a.example/f"),
        ("overcast://x-callback-url/add?url=https%3A%2F%2Fa.example%2Ff", "https://a.example/f"),
        ("pktc://subscribe/a.example/f", "http://a.example/f"),
        ("podkicker://subscribe/https://a.example/f", "https://a.example/f"),
        ("https://antennapod.org/deeplink/subscribe?url=https%3A%2F%2Fa.example%2Ff", "https://a.example/f"),
        ("https://www.subscribeonandroid.com/a.example/f", "https://a.example/f"),
        ("feed:/relative", None),
        ("feed:", None),
        ("podcast:1", None),
        ("rss.xml", None),
        ("https://a.example/feed:x", None),
    ],
)
def test_links_of_podcast_apps_lead_to_the_feed(link, feed):
    assert subscribed_feed(link) == feed


def test_a_feed_without_a_scheme_of_its_own_has_that_of_the_page():
    assert urls(in_html('<a href="itpc://a.example/f">iTunes</a>'), Kind.FEED) == ["https://a.example/f"]
