from datetime import UTC, datetime

from audiocrawler.discovery import Kind
from audiocrawler.model.statements import Statement
from tests.discovery.pages import in_feed, in_text, the_one, urls


def test_an_enclosure_comes_with_all_that_the_item_says():
    found = the_one(
        in_feed(
            "<item><title>Pilot &amp; more</title><pubDate>Mon, 06 May 2024 07:08:09 +0200</pubDate>"
            "<itunes:duration>1:02:03</itunes:duration><itunes:author>Ada</itunes:author>"
            '<podcast:transcript url="/1.srt" type="application/srt"/><cc:license>https://cc.example/by</cc:license>'
            '<enclosure url="https://cdn.example/1.mp3?a=1&amp;b=2" length="12345" type="audio/mpeg"/></item>',
            head="<title>Show</title><language>de</language>",
        )
    )
    assert found.url == "https://cdn.example/1.mp3?a=1&b=2"
    assert (found.title, found.artist, found.language) == ("Pilot & more", "Ada", "de")
    assert found.published_at == datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)
    assert (found.duration_ms, found.size_bytes) == (3_723_000, 12345)
    assert found.statements == (Statement(None, "https://cc.example/by", "feed_item"),)
    assert found.transcript_url == "https://site.example/1.srt"
    assert found.found_by == "feed_enclosure"


def test_an_image_before_the_audio_does_not_hide_it():
    found = in_feed(
        '<item><enclosure url="/cover.jpg" type="image/jpeg"/><enclosure url="/1" length="0" type="audio/mpeg"/></item>'
    )
    assert the_one(found).url == "https://site.example/1"
    assert the_one(found).size_bytes is None


def test_media_content_and_enclosure_of_one_file_are_one_candidate():
    found = in_feed(
        '<item><enclosure url="/1.mp3" type="audio/mpeg"/><media:group><media:content url="/1.mp3" fileSize="77"'
        ' duration="60" bitrate="128"/><media:content url="/1.jpg" medium="image"/></media:group></item>'
    )
    assert (the_one(found).duration_ms, the_one(found).bit_rate_bps, the_one(found).size_bytes) == (60_000, 128_000, 77)


def test_alternate_enclosures_are_alternates_and_only_those_over_http():
    found = in_feed(
        '<item><enclosure url="/1.mp3" type="audio/mpeg"/>'
        '<podcast:alternateEnclosure type="audio/opus" bitrate="32000"><podcast:source uri="https://cdn.example/low"/>'
        '<podcast:source uri="ipfs://QmX"/></podcast:alternateEnclosure>'
        '<podcast:alternateEnclosure type="video/mp4">'
        '<podcast:source uri="/1.mp4"/></podcast:alternateEnclosure></item>'
    )
    assert urls(found) == ["https://site.example/1.mp3", "https://cdn.example/low"]
    assert found[1].bit_rate_bps == 32000
    assert found[0].group == found[1].group is not None


def test_trailers_are_audio_and_live_items_are_streams():
    found = in_feed(
        '<podcast:liveItem><title>On air</title><enclosure url="/onair.mp3" type="audio/mpeg"/></podcast:liveItem>',
        head='<podcast:trailer url="https://cdn.example/teaser" type="audio/mpeg">Teaser</podcast:trailer>',
    )
    assert urls(found, Kind.STREAM) == ["https://site.example/onair.mp3"]
    assert (the_one(found).url, the_one(found).title) == ("https://cdn.example/teaser", "Teaser")


def test_control_characters_in_an_item_do_not_hide_its_audio():
    found = in_feed('<item><title>One\x00 \x01two</title><enclosure url="/1.mp3"/></item>')
    assert the_one(found).title == "One two"


def test_the_authors_address_is_left_out():
    found = in_feed('<item><author>ada@site.example (Ada)</author><enclosure url="/1.mp3"/></item>')
    assert the_one(found).artist == "Ada"


def test_items_are_not_alternates_of_each_other():
    found = in_feed('<item><enclosure url="/1.mp3"/></item><item><enclosure url="/2.mp3"/></item>')
    assert [each.group for each in found] == [None, None]


def test_atom_enclosures_are_found():
    found = in_text(
        '<!-- made by hand --><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><entry><title>Pilot</title>'
        '<author><name>Ada</name></author><published>2024-05-06T07:08:09Z</published><link rel="alternate" href="/1"/>'
        '<link rel="enclosure" href="/1.m4a" type="audio/mp4" length="99"/></entry></feed>',
        "application/xml",
    )
    assert the_one(found).url == "https://site.example/1.m4a"
    assert (the_one(found).title, the_one(found).artist, the_one(found).size_bytes) == ("Pilot", "Ada", 99)


def test_players_and_links_in_the_html_of_items_are_found_with_the_items_title():
    found = in_feed(
        "<item><title>Samples</title><link>https://site.example/2020/post/</link><description>&lt;audio&gt;&lt;source "
        'src="a.wav"&gt;&lt;/audio&gt;</description><content:encoded><![CDATA[<p><a href="/b.mp3">b</a>'
        '[audio src="https://cdn.example/c.mp3" /]</p>]]></content:encoded></item>'
    )
    assert urls(found) == [
        "https://site.example/2020/post/a.wav",
        "https://site.example/b.mp3",
        "https://cdn.example/c.mp3",
    ]
    assert {each.title for each in found} == {"Samples"}
    assert {each.group for each in found} == {None}


def test_a_feed_is_read_though_it_is_declared_as_html():
    assert urls(in_text('<rss><item><enclosure url="/1.mp3"/></item></rss>', "text/html"))


def test_transcripts_of_a_feed_are_not_audio():
    assert in_feed('<item><podcast:transcript url="/1.mp3.srt" type="application/srt"/></item>') == []


def test_prefixes_that_the_feed_forgot_to_declare_are_understood():
    found = in_text(
        "<rss><channel><item><itunes:duration>60</itunes:duration><podcast:person>Ada</podcast:person>"
        '<media:content url="/1" type="audio/mpeg"/></item></channel></rss>',
        "application/rss+xml",
    )
    assert (the_one(found).duration_ms, the_one(found).artist) == (60_000, "Ada")


def test_items_that_were_not_closed_are_still_items_of_their_own():
    found = in_text(
        '<rss><channel><item><title>One</title><enclosure url="/1.mp3"/>'
        '<item><title>Two</title><enclosure url="/2.mp3"/>',
        "application/rss+xml",
    )
    assert [(each.title, each.group) for each in found] == [("One", None), ("Two", None)]


def test_of_an_items_two_bodies_a_cut_summary_hides_nothing():
    found = in_feed(
        '<item><description>&lt;audio src="/1.mp3"&gt;&lt;/audio&gt; and &lt;a href="</description><content:encoded>'
        '<![CDATA[<a href="/2.mp3">two</a> and much more to read than the summary, which is cut, had the room for]]>'
        "</content:encoded></item>"
    )
    assert urls(found) == ["https://site.example/1.mp3", "https://site.example/2.mp3"]


def test_a_wrong_type_or_medium_does_not_hide_an_audio_file():
    found = in_feed(
        '<item><enclosure url="/1.mp3" type="image/jpeg"/></item>'
        '<item><media:content url="/2.flac" medium="image"/></item>'
        '<item><enclosure url="/3.jpg" type="audio/mpeg"/></item>'
    )
    assert urls(found) == ["https://site.example/1.mp3", "https://site.example/2.flac"]
