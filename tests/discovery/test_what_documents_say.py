"""What documents say of an episode: show, number, text, page, image, chapters, transcripts, people, licence."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from audiocrawler.discovery.candidate import Candidate
from audiocrawler.rights.licences import identify
from tests.discovery.pages import in_feed, in_html, in_text, the_one

HEAD = (
    "<title>The Ferry</title><language>nl</language><itunes:author>Ferry House</itunes:author>"
    '<itunes:image href="/show.jpg"/>'
)
ENCLOSURE = '<enclosure url="/a.mp3" type="audio/mpeg"/>'


def in_json(value: Any) -> Candidate:
    return the_one(in_text(json.dumps(value), "application/json"))


def item(elements: str, head: str = HEAD) -> Candidate:
    return the_one(in_feed(f"<item><title>One</title>{ENCLOSURE}{elements}</item>", head=head))


def test_a_feed_says_what_an_episode_is():
    found = item(
        "<itunes:season>2</itunes:season><podcast:episode>0</podcast:episode><link>/ep/0</link>"
        "<description>&lt;p&gt;What the &lt;b&gt;tide&lt;/b&gt; tells.&lt;/p>&lt;p>More &amp;amp; more</description>"
        '<podcast:chapters url="/c.json"/><itunes:image href="/one.jpg"/>'
    )
    assert (found.show_title, found.language, found.season, found.episode) == ("The Ferry", "nl", 2, 0)
    assert found.description == "What the tide tells. More & more"
    assert (found.episode_url, found.chapters_url, found.image_url) == (
        "https://site.example/ep/0",
        "https://site.example/c.json",
        "https://site.example/one.jpg",
    )


def test_what_an_episode_lacks_its_show_says():
    found = item("")
    assert (found.image_url, found.artist, found.description) == ("https://site.example/show.jpg", "Ferry House", None)


def test_all_transcripts_are_kept_with_what_is_stated_of_them():
    found = item(
        '<podcast:transcript url="/t.html" type="text/html"/>'
        '<podcast:transcript url="/t.vtt" type="text/vtt" language="nl" rel="captions"/>'
        '<media:subTitle type="text/srt" lang="en" href="/t.srt"/><podcast:transcript url=""/>'
    )
    assert found.transcripts == [
        {"url": "https://site.example/t.html", "type": "text/html"},
        {"url": "https://site.example/t.vtt", "type": "text/vtt", "language": "nl", "rel": "captions"},
        {"url": "https://site.example/t.srt", "type": "text/srt", "language": "en"},
    ]
    assert found.transcript_url == "https://site.example/t.html"


PEOPLE = (
    '<podcast:person role="Guest" href="/gwen">Gwen</podcast:person><podcast:person>Hal</podcast:person>'
    "<dc:contributor>Cas</dc:contributor>"
)


def test_a_guest_is_named_apart_and_never_credited():
    found = item(PEOPLE)
    assert found.people == [
        {"name": "Gwen", "role": "guest", "group": "cast", "url": "https://site.example/gwen"},
        {"name": "Hal", "role": "host", "group": "cast"},
        {"name": "Cas", "role": "contributor"},
    ]
    assert found.artist == "Ferry House"
    assert item(PEOPLE, head="<title>T</title>").artist == "Hal"
    assert item('<podcast:person role="guest">Gwen</podcast:person>', head="").artist is None


def test_dublin_core_names_are_read():
    found = item(
        "<dc:creator>Ann</dc:creator><dc:language>fy</dc:language><dc:identifier>id-7</dc:identifier>"
        "<dc:description>On tides</dc:description><dc:date>2024-03-01</dc:date><dc:rights>CC BY 4.0</dc:rights>"
    )
    assert (found.artist, found.language, found.guid, found.description) == ("Ann", "fy", "id-7", "On tides")
    assert found.published_at == datetime(2024, 3, 1, tzinfo=UTC)
    assert [each.text for each in found.statements or ()] == ["CC BY 4.0"]


def test_the_tracks_of_a_player_are_its_transcripts_and_chapters():
    tracks = (
        '<track kind="chapters" src="/c.vtt"><track kind="captions" src="/de.vtt" srclang="de">'
        '<track kind="subtitles" src="/en.vtt" srclang="en"><track kind="metadata" src="/m.vtt">'
    )
    found = the_one(in_html(f'<audio src="/a.mp3">{tracks}</audio>'))
    assert found.transcripts == [
        {"url": "https://site.example/de.vtt", "language": "de", "rel": "captions"},
        {"url": "https://site.example/en.vtt", "language": "en", "rel": "subtitles"},
    ]
    assert (found.transcript_url, found.chapters_url) == ("https://site.example/de.vtt", "https://site.example/c.vtt")


DUBLIN_CORE = (
    '<meta name="DC.title" content="Tides"><meta name="DC.creator" content="Ann">'
    '<meta name="DCTERMS.language" content="fy"><meta name="dc.date" content="2024-03-01">'
    '<meta name="DC.description" content="On tides"><meta property="og:type" content="article">'
    '<meta property="og:description" content="An article"><meta property="og:image" content="/i.jpg">'
)


def test_the_head_of_a_page_is_about_its_only_recording():
    one = the_one(in_html(f'{DUBLIN_CORE}<audio src="/a.mp3"></audio>'))
    assert (one.title, one.artist, one.language, one.description) == ("Tides", "Ann", "fy", "On tides")
    assert (one.published_at, one.image_url) == (datetime(2024, 3, 1, tzinfo=UTC), None)
    two = in_html(f'{DUBLIN_CORE}<a href="/a.mp3">a</a><a href="/b.mp3">b</a>')
    assert [(each.title, each.artist) for each in two] == [(None, None)] * 2


def test_open_graph_is_about_the_audio_that_it_names():
    head = (
        '<meta property="og:audio" content="/a.mp3"><meta property="og:description" content="On tides">'
        '<meta property="og:image" content="/i.jpg">'
    )
    found = the_one(in_html(head))
    assert (found.description, found.image_url) == ("On tides", "https://site.example/i.jpg")


def test_microdata_says_what_an_episode_is():
    properties = (
        '<meta itemprop="contentUrl" content="/a.mp3"><span itemprop="partOfSeries" itemscope><b itemprop="name">Coasts'
        '</b></span><meta itemprop="episodeNumber" content="4"><p itemprop="description">On tides</p>'
    )
    found = the_one(in_html(f'<div itemscope itemtype="https://schema.org/PodcastEpisode">{properties}</div>'))
    assert (found.show_title, found.episode, found.description) == ("Coasts", 4, "On tides")


def test_json_ld_says_what_an_episode_is():
    episode = {
        "@type": "PodcastEpisode",
        "name": "One",
        "url": "/ep/4",
        "episodeNumber": "4",
        "partOfSeason": {"@type": "PodcastSeason", "seasonNumber": 2},
        "partOfSeries": {"@type": "PodcastSeries", "name": "Coasts"},
        "description": "On <i>lighthouses</i>",
        "inLanguage": {"@type": "Language", "name": "French", "alternateName": "fr"},
        "image": {"@type": "ImageObject", "url": "/p.jpg"},
        "actor": [{"@type": "Person", "name": "Gwen"}],
        "author": {"name": "Coast House"},
        "associatedMedia": {"@type": "MediaObject", "contentUrl": "/a.wav"},
    }
    found = the_one(in_html(f'<script type="application/ld+json">{json.dumps(episode)}</script>'))
    assert (found.show_title, found.season, found.episode, found.language) == ("Coasts", 2, 4, "fr")
    assert (found.description, found.artist) == ("On lighthouses", "Coast House")
    assert (found.episode_url, found.image_url) == ("https://site.example/ep/4", "https://site.example/p.jpg")
    assert found.people == [{"name": "Gwen", "role": "actor"}]


def test_an_index_of_podcasts_says_what_an_episode_is():
    found = in_json(
        {
            "items": [
                {
                    "title": "One",
                    "link": "https://e.example/1",
                    "datePublished": 1709283600,
                    "enclosureUrl": "https://e.example/a.mp3",
                    "enclosureLength": 12345,
                    "episode": 7,
                    "season": 2,
                    "feedLanguage": "de",
                    "feedTitle": "The Ferry",
                    "feedImage": "https://e.example/f.jpg",
                    "image": "",
                    "chaptersUrl": "https://e.example/c.json",
                    "transcripts": [{"url": "https://e.example/t.srt", "type": "application/srt"}],
                    "persons": [{"name": "Gwen", "role": "guest", "href": "https://g.example/"}],
                }
            ]
        }
    )
    assert (found.published_at, found.size_bytes) == (datetime(2024, 3, 1, 9, tzinfo=UTC), 12345)
    assert (found.show_title, found.language, found.season, found.episode) == ("The Ferry", "de", 2, 7)
    assert (found.image_url, found.chapters_url) == ("https://e.example/f.jpg", "https://e.example/c.json")
    assert found.transcripts == [{"url": "https://e.example/t.srt", "type": "application/srt"}]
    assert found.people == [{"name": "Gwen", "role": "guest", "url": "https://g.example/"}]


def test_wordpress_says_what_an_episode_is():
    post = {
        "date_gmt": "2024-03-01T09:00:00",
        "link": "https://w.example/podcast/5/",
        "title": {"rendered": "One &#8211; two"},
        "excerpt": {"rendered": "<p>On tides.</p>\n"},
        "episode_featured_image": "https://w.example/i.jpg",
        "meta": {"audio_file": "https://w.example/5.mp3", "filesize_raw": "12345"},
    }
    found = in_json([post])
    assert (found.title, found.description) == ("One \u2013 two", "On tides.")
    assert (found.episode_url, found.image_url) == ("https://w.example/podcast/5/", "https://w.example/i.jpg")
    assert (found.published_at, found.size_bytes) == (datetime(2024, 3, 1, 9, tzinfo=UTC), 12345)


def test_the_text_about_a_show_is_not_that_of_its_episodes():
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "The Ferry",
        "description": "A show",
        "items": [{"id": "1", "title": "One", "attachments": [{"url": "https://j.example/1.mp3"}]}],
    }
    found = in_json(feed)
    assert (found.title, found.show_title, found.description) == ("One", "The Ferry", None)


@pytest.mark.parametrize(
    ("members", "licence"),
    [
        ({"license_code": "cc-by-nc"}, "CC-BY-NC"),
        ({"license": "by-sa", "license_version": "4.0"}, "CC-BY-SA-4.0"),
        (
            {"license": "by-nc-nd", "license_url": "https://creativecommons.org/licenses/by-nc-nd/3.0/"},
            "CC-BY-NC-ND-3.0",
        ),
        ({"deed_url": "https://creativecommons.org/licenses/by/4.0/deed.de"}, "CC-BY-4.0"),
        ({"license_id": "CC0-1.0"}, "CC0-1.0"),
        ({"licenseShortName": "CC BY-SA 3.0"}, "CC-BY-SA-3.0"),
        ({"license": "pdm"}, "CC-PDM-1.0"),
        ({"license_key": "CC BY 4.0", "licensed": "by"}, None),
    ],
)
def test_licences_are_read_from_the_members_that_programs_use(members, licence):
    found = in_json({"results": [{"sounds": [{"file_url": "https://s.example/5.wav?1", **members}]}]})
    named = {identify(each.url) or identify(each.text) for each in found.statements or ()}
    assert (licence in named) if licence else not named


@pytest.mark.parametrize("text", ["by the author", "sa", "by-sa-nc", "by-nc-sampling", "stand by"])
def test_words_that_are_no_code_name_no_licence(text):
    assert identify(text) is None


def test_the_text_tracks_that_scripts_give_a_player_are_its_transcripts_and_chapters():
    tracks = """[{"file": "/en.vtt", "kind": "captions", "label": "English"}, {"src": "/nl.vtt", "srclang": "nl"},
        {"file": "/c.vtt", "kind": "chapters"}, {"file": "/t.vtt", "kind": "thumbnails"}, {"file": "/b.json"}]"""
    setup = f'{{"playlist": [{{"sources": [{{"file": "/a.mp3"}}], "tracks": {tracks}}}]}}'
    found = the_one(in_html(f"<script>jwplayer('p').setup({setup});</script>"))
    assert found.transcripts == [
        {"url": "https://site.example/en.vtt", "rel": "captions"},
        {"url": "https://site.example/nl.vtt", "language": "nl"},
    ]
    assert found.chapters_url == "https://site.example/c.vtt"
