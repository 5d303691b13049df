import json

import pytest

from audiocrawler.discovery import Kind
from audiocrawler.model.statements import Statement
from tests.discovery.pages import in_html, in_text, the_one, urls


@pytest.mark.parametrize(
    "script",
    [
        'p.setMedia({title: "Song", mp3: "https://cdn.example/a.mp3"})',
        "new Audio('https://cdn.example/a.mp3').play()",
        r'var s = "https:\/\/cdn.example\/a.mp3";',
        r'window.s = "{\"u\":\"{\\\"src\\\":\\\"https:\\\\/\\\\/cdn.example\\\\/a.mp3\\\"}\"}"',
        r'x("https:\u002F\u002Fcdn.example\u002Fa.mp3")',
    ],
)
def test_a_string_that_is_an_audio_url_is_found_at_any_depth_of_escapes(script):
    assert urls(in_html(f"<script>{script}</script>")) == ["https://cdn.example/a.mp3"]


def test_a_query_keeps_what_its_escapes_meant():
    found = in_html(r'<script>x = ["https://cdn.example/a.mp3?k\u003d1\u0026s=%2B"]</script>')
    assert urls(found) == ["https://cdn.example/a.mp3?k=1&s=%2B"]


def test_entities_in_a_script_are_resolved():
    found = in_html('<script>x = "&lt;audio src=&quot;https://cdn.example/a.mp3?k=1&amp;s=2&quot;&gt;"</script>')
    assert urls(found) == ["https://cdn.example/a.mp3?k=1&s=2"]


def test_assigned_state_is_read_with_its_descriptions():
    found = in_html(
        '<script>window.__STATE__ = {"items": [{"title": "Song", "artist": {"name": "Ada"}, "duration_ms": 61500,'
        '"audioUrl": "https://cdn.example/a.mp3", "license": "CC BY"}]};(function(){})()</script>'
    )
    assert (the_one(found).title, the_one(found).artist, the_one(found).statements) == (
        "Song",
        "Ada",
        (Statement("CC BY", None, "json"),),
    )
    assert the_one(found).duration_ms == 61_500


def test_formats_side_by_side_are_alternates_and_those_of_other_scripts_are_not():
    one = (
        '<script type="application/json">{"mp3": "https://cdn.example/x/1", "ogg": "https://cdn.example/y/2"}</script>'
    )
    found = in_html(one + one.replace("/1", "/3").replace("/2", "/4"))
    assert [each.group for each in found] == [found[0].group] * 2 + [found[2].group] * 2
    assert None is not found[0].group != found[2].group is not None


def test_the_same_folder_and_name_on_two_hosts_in_one_object_is_one_recording():
    found = in_html(
        '<script type="application/json">[{"adFree": "https://a.example/1/x/7.mp3", "url": "https://b.example/ads/x/7.mp3"},'
        '{"noisy": "https://a.example/noisy/x/8.wav", "clean": "https://a.example/clean/x/8.wav"}]</script>'
    )
    assert found[0].group == found[1].group is not None
    assert [each.group for each in found[2:]] == [None, None]


def test_members_about_a_format_are_not_its_file():
    found = in_html('<script type="application/json">{"mp3_url": "/get/1", "mp3_help": "/help/mp3-files"}</script>')
    assert urls(found) == ["https://site.example/get/1"]


def test_json_scripts_may_declare_the_type_of_a_url_without_extension():
    found = in_html('<script type="application/json">{"url": "/media/7", "mimeType": "audio/mpeg"}</script>')
    assert urls(found) == ["https://site.example/media/7"]


def test_feeds_and_live_streams_in_state_are_told_apart_from_files():
    found = in_html(
        '<script type="application/json">{"feedUrl": "https://h.example/x/feed", "liveUrl": "https://h.example/on.mp3",'
        '"deliveryUrl": "https://h.example/file.mp3"}</script>'
    )
    assert urls(found, Kind.FEED) == ["https://h.example/x/feed"]
    assert urls(found, Kind.STREAM) == ["https://h.example/on.mp3"]
    assert urls(found) == ["https://h.example/file.mp3"]


@pytest.mark.parametrize(
    "script",
    [
        'var u = "/audio/" + id + "/take.mp3";',
        "e.ra=1;e.au=2;var a=b.mp3",
        'var u = "take.mp3";',
        'el.src = "{{ data.model.mp3 }}"',
        "$('a[href$=\".mp3\"]').each(f)",
        'u = "https://abc.net.au/news"',
    ],
)
def test_parts_of_urls_and_code_are_not_found(script):
    assert in_html(f"<script>{script}</script>") == []


def test_a_template_in_a_script_is_not_found():
    assert in_html('<script type="text/html"><audio src="{{ data.src }}.mp3"></audio></script>') == []


def test_text_gives_absolute_urls_such_as_unexpanded_shortcodes():
    assert urls(in_html('<p>[audio src="https://cdn.example/a.mp3" /]</p>')) == ["https://cdn.example/a.mp3"]
    assert urls(in_html("<p>Take https://cdn.example/a.mp3, or not.</p>")) == ["https://cdn.example/a.mp3"]
    assert in_html("<pre>https://cdn.example/a.mp3</pre><p>see /home/x/a.mp3</p>") == []


def test_a_json_feed_gives_attachments_and_those_of_one_title_are_alternates():
    mp3, aac, hls, other = in_text(
        '{"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "Pilot", "date_published": "2024-05-06",'
        '"attachments": [{"url": "/1.mp3", "mime_type": "audio/mpeg", "title": "T", "duration_in_seconds": 60},'
        '{"url": "/1.mp4", "mime_type": "audio/aac", "title": "T"}, {"url": "/1.m3u8", "mime_type": "audio/m3u8"},'
        '{"url": "/2.mp3", "mime_type": "audio/mpeg", "title": "Bonus", "size_in_bytes": 9}]}]}',
        "application/feed+json",
    )
    assert mp3.group == aac.group is not None
    assert (mp3.duration_ms, mp3.title) == (60_000, "T")
    assert hls.kind is Kind.MANIFEST
    assert (other.group, other.size_bytes) == (None, 9)


def test_a_recording_of_something_live_is_a_file_if_it_has_a_duration():
    def kinds(**said: object) -> list[Kind]:
        value = {"url": "https://h.example/concert.mp3", "live": True} | said
        return [each.kind for each in in_html(f"<script>x = {json.dumps(value)}</script>")]

    assert kinds(duration=240) == [Kind.AUDIO]
    assert kinds() == [Kind.STREAM]
