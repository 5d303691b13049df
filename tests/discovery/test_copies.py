import json

import pytest

from audiocrawler.discovery import Kind, choose
from audiocrawler.discovery.copies import copy_key
from tests.discovery.pages import in_feed, in_html, in_text, urls


def enclosures(*names: str) -> str:
    return "<item>" + "".join(f'<enclosure url="/u/{name}" type="audio/mpeg"/>' for name in names) + "</item>"


@pytest.mark.parametrize(
    "names",
    [
        ("talk.mp3", "talk.ogg", "talk.opus"),
        ("talk-64.mp3", "talk-128.mp3"),
        ("talk_hq.mp3", "talk_lq.mp3"),
        ("mp3/talk.mp3", "mp3/talk.m4a"),
        ("get.php?id=7&amp;format=mp3", "get.php?id=7&amp;format=ogg"),
        ("download/7", "download/7?x=mp3"),
    ],
)
def test_enclosures_of_one_item_that_are_named_alike_are_copies(names):
    groups = {each.group for each in in_feed(enclosures(*names))}
    assert len(groups) == 1
    assert None not in groups


@pytest.mark.parametrize(
    "names",
    [
        ("part-one.mp3", "part-two.mp3", "encore.mp3"),
        ("1.mp3", "2.mp3"),
        ("talk.en.mp3", "talk.de.mp3"),
        ("side-a/1.mp3", "side-b/1.mp3"),
        ("get.php?id=7", "get.php?id=8"),
        ("drums.wav", "bass.wav", "vocals.wav"),
    ],
)
def test_enclosures_of_one_item_with_names_of_their_own_are_recordings_of_their_own(names):
    assert [each.group for each in in_feed(enclosures(*names))] == [None] * len(names)


def test_the_alternates_of_an_enclosure_are_those_of_the_first_whatever_their_names():
    other = '<podcast:alternateEnclosure type="audio/opus"{}><podcast:source uri="/{}"/></podcast:alternateEnclosure>'
    item = enclosures("a.mp3", "b.mp3").replace("</item>", "") + other.format("", "0815.opus")
    item += other.format(' lang="de-AT"', "0816.opus") + "</item>"
    found = in_feed(item, head="<language>en-us</language>")
    first, second, alternate, translated = found
    assert first.group == alternate.group is not None
    assert (second.group, translated.group, translated.language) == (None, None, "de-AT")


@pytest.mark.parametrize(
    "names",
    [("part1.mp3", "part2.mp3"), ("ch-01.ogg", "ch-02.ogg"), ("x-de.mp3", "x-fr.mp3"), ("x_vocals.wav", "x_drums.wav")],
)
def test_sources_of_a_player_that_are_clearly_not_copies_are_all_taken(names):
    found = in_html(f"<audio>{''.join(f'<source src={name}>' for name in names)}</audio>")
    assert len([1 for _, is_taken in choose(found) if is_taken]) == 2


@pytest.mark.parametrize(
    "names", [("a.mp3", "b.ogg"), ("song.mp3", "song-1.ogg"), ("4711.mp3", "4712.ogg"), ("a-128.mp3", "a-64.mp3")]
)
def test_other_sources_of_a_player_are_copies(names):
    found = in_html(f"<audio>{''.join(f'<source src={name}>' for name in names)}</audio>")
    assert len([1 for _, is_taken in choose(found) if is_taken]) == 1


def test_sources_in_several_languages_are_all_taken():
    found = in_html('<audio><source src="1.mp3" lang="en"><source src="2.mp3" lang="fr"><source src="x.ogg"></audio>')
    assert [is_taken for _, is_taken in choose(found)] == [True, True, False]


def test_members_named_after_formats_and_qualities_are_copies_and_the_best_is_taken():
    sound = {
        f"preview-{quality}-{form}": f"https://cdn.example/{quality}/{form}/9"
        for quality in ("lq", "hq")
        for form in ("ogg", "mp3")
    }
    sound["preview-lq-mp3"] = "https://cdn.example/9-lq.mp3"
    sound["preview-hq-mp3"] = "https://cdn.example/9-hq.mp3"
    found = in_text(json.dumps({"name": "Rain", "files": sound}), "application/json")
    assert [(each.url, each.title) for each, is_taken in choose(found) if is_taken] == [
        ("https://cdn.example/9-hq.mp3", "Rain")
    ]


def test_attachments_without_titles_of_their_own_are_copies_only_if_named_alike():
    def groups(*attachments: dict[str, str]) -> list[str | None]:
        said = [{"mime_type": "audio/mpeg"} | each for each in attachments]
        feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "Day", "attachments": said}]}
        return [each.group for each in in_text(json.dumps(feed), "application/feed+json")]

    assert groups({"url": "https://h.example/morning.mp3"}, {"url": "https://h.example/evening.mp3"}) == [None, None]
    assert None not in groups({"url": "https://h.example/day.mp3"}, {"url": "https://h.example/day.m4a"})
    assert None not in groups(
        {"url": "https://h.example/1", "title": "Day"}, {"url": "https://h.example/2", "title": "Day"}
    )


def test_bit_rates_of_hls_are_copies_and_languages_are_not():
    rendition = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{0}",NAME="{1} {0}",LANGUAGE="{1}",URI="{1}-{0}.m3u8"\n'
    master = "#EXTM3U\n" + "".join(rendition.format(rate, lang) for rate in ("lo", "hi") for lang in ("en", "fr", "en"))
    master = master.replace("en-lo", "comments-lo", 1).replace("en-hi", "comments-hi", 1)
    for rate, bandwidth in (("lo", 64_000), ("hi", 192_000)):
        master += f'#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION=1x1,AUDIO="{rate}"\nvideo-{rate}.m3u8\n'
    found = in_text(master, "application/vnd.apple.mpegurl")
    taken = [each.url.rpartition("/")[2] for each, is_taken in choose(found) if is_taken]
    assert taken == ["comments-hi.m3u8", "fr-hi.m3u8", "en-hi.m3u8"]
    assert {each.kind for each in found} == {Kind.MANIFEST}


def test_audio_only_variants_are_copies_of_one_recording():
    variant = '#EXT-X-STREAM-INF:BANDWIDTH={0},CODECS="mp4a.40.2"\n{0}.m3u8\n'
    found = in_text("#EXTM3U\n" + "".join(variant.format(rate) for rate in (32000, 96000, 64000)), "audio/mpegurl")
    assert [is_taken for _, is_taken in choose(found)] == [False, True, False]


def test_a_key_of_copies_is_had_of_any_text():
    assert copy_key("http://[/a.mp3") == "http://[/a.mp3"
    assert urls(in_feed('<item><enclosure url="http://[/a.mp3"/></item>')) == []


def test_media_rss_without_a_group_are_recordings_of_their_own_if_there_are_several():
    def groups(*names: str, around: str = "{}") -> set[str | None]:
        media = "".join(f'<media:content url="/m/{name}" type="audio/mpeg"/>' for name in names)
        return {
            each.group for each in in_feed(enclosures("main.mp3").replace("</item>", around.format(media) + "</item>"))
        }

    assert groups("first.mp3", "second.mp3") == {None}
    assert len(groups("0815.mp3")) == len(groups("7.mp3", "9.mp3", around="<media:group>{}</media:group>")) == 1


def test_adaptation_sets_of_one_language_are_copies_if_their_codecs_differ():
    one = (
        '<AdaptationSet lang="{}" mimeType="audio/mp4" codecs="{}"><Representation bandwidth="{}"><BaseURL>{}</BaseURL>'
        "</Representation></AdaptationSet>"
    )
    sets = [one.format(*each) for each in (("en", "opus", 9, "1.mp4"), ("en", "mp4a.40.2", 8, "2.mp4"))]
    sets += [one.format("de", "opus", 9, "3.mp4"), one.format("de", "opus", 9, "4.mp4")]
    found = in_text(f"<MPD><Period>{''.join(sets)}</Period></MPD>", "application/dash+xml")
    assert [is_taken for _, is_taken in choose(found)] == [True, False, True, True]
