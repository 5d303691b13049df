from scrapy.http import TextResponse

from audiocrawler.discovery import Kind, read
from audiocrawler.discovery.hls import Part, Rendition, audio_rendition
from tests.discovery.pages import in_text, urls

HLS = "application/vnd.apple.mpegurl"


def rendition(*lines: str) -> Rendition | None:
    body = "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:10", *lines]).encode()
    return audio_rendition(read(TextResponse("https://cdn.example/a/list.m3u8", body=body)))


def test_the_segments_of_a_finished_rendition_come_in_their_order():
    found = rendition("#EXTINF:9.5,", "1.aac", "#EXTINF:3,title", "/b/2.aac?k=1", "#EXT-X-ENDLIST")
    assert found == Rendition(
        parts=[Part("https://cdn.example/a/1.aac"), Part("https://cdn.example/b/2.aac?k=1")],
        duration_ms=12_500,
        is_vod=True,
        is_encrypted=False,
        container="aac",
    )


def test_an_initialisation_section_is_the_first_part():
    found = rendition(
        '#EXT-X-MAP:URI="all.mp4",BYTERANGE="700@0"',
        *("#EXTINF:4,", "#EXT-X-BYTERANGE:100@700", "all.mp4"),
        *("#EXTINF:4,", "#EXT-X-BYTERANGE:50", "all.mp4", "#EXT-X-ENDLIST"),
    )
    assert found is not None
    assert found.container == "mp4"
    url = "https://cdn.example/a/all.mp4"
    assert found.parts == [Part(url, 0, 700), Part(url, 700, 100), Part(url, 800, 50)]


def test_a_repeated_initialisation_section_is_fetched_once_and_a_new_one_where_it_begins():
    one, two = '#EXT-X-MAP:URI="i1.mp4"', '#EXT-X-MAP:URI="i2.mp4"'
    found = rendition(one, "#EXTINF:4,", "1.m4s", one, "#EXTINF:4,", "2.m4s", two, "#EXTINF:4,", "3.m4s")
    assert found is not None
    names = [part.url.rpartition("/")[2] for part in found.parts]
    assert names == ["i1.mp4", "1.m4s", "2.m4s", "i2.mp4", "3.m4s"]


def test_without_an_end_it_is_live():
    found = rendition("#EXT-X-MEDIA-SEQUENCE:77", "#EXTINF:9,", "1.ts")
    assert found is not None
    assert (found.is_vod, found.container) == (False, "ts")


def test_encryption_is_seen_and_its_absence_too():
    clear, locked = rendition("#EXT-X-KEY:METHOD=NONE", "1.ts"), rendition('#EXT-X-KEY:METHOD=AES-128,URI="k"', "1.ts")
    assert clear is not None
    assert locked is not None
    assert (clear.is_encrypted, locked.is_encrypted) == (False, True)


def test_gaps_are_left_out():
    found = rendition("#EXTINF:4,", "1.ts", "#EXT-X-GAP", "#EXTINF:4,", "2.ts", "#EXTINF:4,", "3.ts", "#EXT-X-ENDLIST")
    assert found is not None
    assert (len(found.parts), found.duration_ms) == (2, 8000)


def test_segments_that_are_not_http_are_never_fetched():
    assert rendition("#EXTINF:4,", "file:///etc/passwd", "#EXTINF:4,", "data:audio/aac;base64,AA") is None


def test_master_playlists_subtitles_and_plain_playlists_are_no_renditions():
    assert rendition("#EXT-X-STREAM-INF:BANDWIDTH=1", "1.m3u8") is None
    assert rendition("#EXTINF:4,", "1.vtt", "#EXT-X-ENDLIST") is None
    assert audio_rendition(read(TextResponse("https://cdn.example/x.m3u", body=b"#EXTM3U\n1.mp3"))) is None


def test_a_master_playlist_gives_its_audio_as_further_manifests():
    found = in_text(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",URI="en.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",URI="subtitles.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"\nlow.m3u8\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,CODECS="avc1,mp4a.40.2"\nvideo.m3u8\n',
        HLS,
    )
    assert urls(found, Kind.MANIFEST) == [
        "https://site.example/shows/en.m3u8",
        "https://site.example/shows/low.m3u8",
    ]
    assert found[0].language == "en"


def test_names_of_renditions_are_bounded_and_not_empty():
    playlist = '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="{}",URI="a.m3u8"\n'
    (unnamed,) = in_text(playlist.format(""), HLS)
    (long,) = in_text(playlist.format("x" * 1_000_000), HLS)
    assert unnamed.title is None
    assert set(long.title or "") == {"x"}
    assert len(long.title or "") < 1000
