"""The audio of segmented DASH manifests as a list of parts."""

from scrapy.http import TextResponse

from audiocrawler.discovery import read
from audiocrawler.discovery.dash import Track, audio_tracks
from audiocrawler.discovery.hls import Part

BASE = "https://cdn.example/show/"
LENGTH = 'mediaPresentationDuration="PT25S"'


def tracks(sets: str, attributes: str = f'type="static" {LENGTH}', before: str = "") -> list[Track]:
    text = f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {attributes}>{before}<Period>{sets}</Period></MPD>'
    headers = {"Content-Type": "application/dash+xml"}
    return audio_tracks(read(TextResponse(f"{BASE}m.mpd", body=text.encode(), headers=headers)))


def audio(inner: str, attributes: str = "") -> str:
    return f'<AdaptationSet mimeType="audio/mp4" {attributes}>{inner}</AdaptationSet>'


def parts(sets: str, **how: str) -> list[str]:
    (track,) = tracks(sets, **how)
    return [each.url.removeprefix(BASE) for each in track.rendition.parts]


def test_numbers_are_filled_in_up_to_the_end() -> None:
    template = (
        '<SegmentTemplate media="$RepresentationID$/$Number%03d$.m4s" initialization="$RepresentationID$/i.mp4"'
        ' duration="100" timescale="10" startNumber="0"/><Representation id="a1" bandwidth="64000"/>'
    )
    assert parts(audio(template)) == ["a1/i.mp4", "a1/000.m4s", "a1/001.m4s", "a1/002.m4s"]


def test_times_are_filled_in_from_the_timeline() -> None:
    timeline = '<SegmentTimeline><S t="5" d="10" r="1"/><S d="7"/><S t="40" d="5" r="-1"/></SegmentTimeline>'
    template = f'<SegmentTemplate media="$Time$-$Bandwidth$$$.m4s" timescale="2">{timeline}</SegmentTemplate>'
    found = parts(audio(f'{template}<Representation id="a" bandwidth="9"/>'))
    assert found == ["5-9$.m4s", "15-9$.m4s", "25-9$.m4s", "40-9$.m4s", "45-9$.m4s"]


def test_a_list_may_have_files_or_ranges_of_one() -> None:
    files = (
        '<Representation id="a"><BaseURL>a/</BaseURL><SegmentList><Initialization sourceURL="i.mp4"/>'
        '<SegmentURL media="1.m4s"/><SegmentURL media="2.m4s"/></SegmentList></Representation>'
    )
    assert parts(audio(files)) == ["a/i.mp4", "a/1.m4s", "a/2.m4s"]
    ranges = (
        '<Representation id="a"><BaseURL>all.mp4</BaseURL><SegmentList><Initialization range="0-99"/>'
        '<SegmentURL mediaRange="100-199"/></SegmentList></Representation>'
    )
    (track,) = tracks(audio(ranges))
    assert track.rendition.parts == [Part(f"{BASE}all.mp4", 0, 100), Part(f"{BASE}all.mp4", 100, 100)]


TEMPLATE = '<SegmentTemplate media="{}$Bandwidth$-$Number$.m4s" duration="30"/>'


def test_of_each_language_the_best_is_taken() -> None:
    rates = '<Representation id="1" bandwidth="64"/><Representation id="2" bandwidth="128"/>'
    sets = (
        audio(TEMPLATE.format("e") + rates, 'lang="en"')
        + audio(
            '<Role schemeIdUri="urn:mpeg:dash:role:2011" value="description"/>'
            + TEMPLATE.format("d")
            + '<Representation id="3" bandwidth="999"/>',
            'lang="en"',
        )
        + audio(TEMPLATE.format("f") + rates, 'lang="fr"')
        + '<AdaptationSet mimeType="video/mp4">'
        + TEMPLATE.format("v")
        + rates
        + "</AdaptationSet>"
    )
    found = tracks(sets)
    assert [(each.language, each.bit_rate_bps) for each in found] == [("en", 128), ("fr", 128)]
    assert [each.rendition.parts[0].url.removeprefix(BASE) for each in found] == ["e128-1.m4s", "f128-1.m4s"]
    assert found[0].rendition.duration_ms == 25_000


def test_periods_follow_each_other() -> None:
    one = '<Period duration="PT10S">' + audio(TEMPLATE.format("x") + '<Representation bandwidth="1"/>') + "</Period>"
    (track,) = tracks(audio(TEMPLATE.format("y") + '<Representation bandwidth="1"/>'), before=one)
    assert [each.url.removeprefix(BASE) for each in track.rendition.parts] == ["x1-1.m4s", "y1-1.m4s"]


def test_live_and_encrypted_audio_is_known_as_such() -> None:
    one = TEMPLATE.format("x") + '<Representation bandwidth="1"/>'
    (live,) = tracks(audio(one), attributes='type="dynamic"')
    (locked,) = tracks(audio('<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011"/>' + one))
    assert (live.rendition.is_vod, live.rendition.is_encrypted) == (False, False)
    assert (locked.rendition.is_vod, locked.rendition.is_encrypted) == (True, True)


def test_audio_in_one_file_is_no_list_of_parts() -> None:
    assert (
        tracks(audio('<Representation id="a"><BaseURL>a.mp4</BaseURL><SegmentBase indexRange="0-9"/></Representation>'))
        == []
    )


def test_numbers_that_make_no_sense_end() -> None:
    endless = (
        '<SegmentTemplate media="$Time$" timescale="1"><SegmentTimeline><S d="1" r="999999999"/></SegmentTimeline>'
    )
    (track,) = tracks(audio(f'{endless}</SegmentTemplate><Representation bandwidth="1"/>'))
    assert len(track.rendition.parts) == 20_000
    assert parts(audio('<SegmentTemplate media="$Number$" duration="0"/><Representation bandwidth="1"/>')) == []
