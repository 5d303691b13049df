import pytest

from audiocrawler.discovery.candidate import Kind
from audiocrawler.discovery.kinds import classify


@pytest.mark.parametrize(
    "url",
    [
        "https://h.example/a.mp3",
        "https://h.example/A.MP3?sig=x%2Fy&sig=2",
        "https://h.example/a%20b/t%C3%B6ne.flac",
        "https://h.example/x.wav.ogg",
        "https://podtrac.example/pts/redirect.mp3/cdn.example/ep/1.m4a",
        "https://h.example/download.php?file=talk.mp3",
        "https://en.wikipedia.org/wiki/Special:FilePath/Bell.ogg",
        "https://h.example/2019/live.mp3",
        "https://live.h.example/mediaselector/version/2.0/mediaset/p08lmrp1.mp3",
        "http://127.0.0.1:8123/tone.mp3",
        "http://site:8000/tone.mp3",
        "http://site.:8000/tone.mp3",
        "https://h.example/sounds/effects/radio.mp3",
        "https://stream.h.example/episodes/0a1b2c3d-aaaa-bbbb-cccc-dddddddddddd/stream.mp3",
        "https://github.com/lab/demo/blob/main/a.wav?raw=true",
        "https://github.com/lab/demo/raw/main/a.wav",
        "https://github.com/lab/demo/releases/download/v1/a.wav",
        "https://gitlab.com/group/lab/demo/-/raw/main/a.wav",
        "https://huggingface.co/datasets/lab/demo/resolve/main/a.wav",
        "https://h.example/samples/tone.au",
        "https://h.example/Bach;%20Suite.mp3",
        "https://h.example/music/index.php?dir=Live/&file=One%20Song.mp3",
        "https://h.example/play/index.php?sid=1&name=Ada%20-%20Song.mp3",
        "https://h.example/?p=music&dl=a.mp3",
        "https://h.example/projects/p/files/x.mp3/download",
        "https://h.example/api/records/1/files/x.wav/content",
        "https://h.example/a;b;c.flac;jsessionid=0A.node1",
    ],
)
def test_a_url_that_names_an_audio_file_is_audio(url):
    assert classify(url) is Kind.AUDIO


@pytest.mark.parametrize(
    "url",
    [
        "https://www.mp3.com",
        "https://www.mp3.com/",
        "https://h.example/a.mp3.srt",
        "https://h.example/a.mp3.json",
        "https://h.example/redirect.mp3/page.html",
        "https://h.example/talk-audios-mp3_rf_1.html",
        "https://h.example/emff.swf?src=https://h.example/a.mp3",
        "https://h.example/share?u=https://h.example/a.mp3",
        "https://h.example/.mp3",
        "https://h.example/player.php?file=talk.mp3",
        "https://h.example/index.php?title=File:Bell.ogg",
        "https://github.com/lab/data/a.wav",
        "https://gitlab.com/group/lab/data/a.wav",
        "https://h.example/a.mp3/about",
        "https://h.example/clip.mp4",
        "https://h.example/page",
        "https://h.example/sites/news.com.au",
    ],
)
def test_a_url_that_only_mentions_audio_is_nothing(url):
    assert classify(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://en.wikipedia.org/wiki/File:Bell.ogg",
        "https://github.com/lab/demo/tree/main/data/a.wav",
        "https://huggingface.co/datasets/lab/demo/tree/main/data/a.wav",
        "https://de.wikipedia.org/wiki/Datei:Glocke.ogg",
        "https://de.wikipedia.org/wiki/Datei%3AGlocke.ogg",
        "https://github.com/lab/demo/blob/main/a.wav",
        "https://gitlab.com/group/lab/demo/-/blob/main/a.wav",
        "https://huggingface.co/datasets/lab/demo/blob/main/a.wav",
        "https://archive.org/details/item/a.mp3",
        "https://www.dropbox.com/s/1/a.mp3?dl=0",
    ],
)
def test_a_page_about_a_file_that_is_named_like_it_is_a_page(url):
    assert classify(url, expected=Kind.AUDIO) is Kind.PAGE


@pytest.mark.parametrize(
    "url",
    [
        "https://icecast.radio.example/main-midfi.mp3?id=1",
        "http://radio.station.example:8000/house.mp3",
        "https://stream.station.example/radio.aac",
        "https://radio.example/radio/8010/radio.mp3",
        "https://23123.live.streamtheworld.com/KEXP.mp3",
        "http://station.example:8000/;stream.mp3",
    ],
)
def test_a_mount_of_a_streaming_server_is_a_stream_though_it_ends_like_a_file(url):
    assert classify(url) is Kind.STREAM


@pytest.mark.parametrize(
    "url",
    [
        "https://radio.college.example/shows/first.mp3",
        "https://live.venue.example/interview.mp3",
        "http://files.example:8080/take.mp3",
        "http://radio.station.example:8000/master.flac",
        "https://h.example/albums/live.mp3",
        "https://h.example/stream.mp3",
    ],
)
def test_one_sign_of_radio_does_not_make_a_file_a_stream(url):
    assert classify(url) is Kind.AUDIO


def test_a_known_length_outweighs_every_sign_of_radio():
    assert classify("https://stream.station.example/radio.aac", is_finite=True) is Kind.AUDIO


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://h.example/a.mp3.m3u", Kind.PLAYLIST),
        ("https://h.example/listen.pls?sid=1", Kind.PLAYLIST),
        ("https://h.example/list.xspf", Kind.PLAYLIST),
        ("https://h.example/master.m3u8?x=1", Kind.MANIFEST),
        ("https://h.example/manifest.mpd", Kind.MANIFEST),
    ],
)
def test_playlists_and_manifests_are_told_by_their_extension(url, kind):
    assert classify(url) is kind
    assert classify(url, expected=Kind.AUDIO, mime_type="audio/mpeg") is kind


@pytest.mark.parametrize(
    ("url", "mime_type", "kind"),
    [
        ("https://h.example/stream/42", "audio/mpeg", Kind.AUDIO),
        ("https://h.example/talk.mp4", "audio/aac", Kind.AUDIO),
        ("https://h.example/talk.mp3", "audio/vnd.facebook.bridge", Kind.AUDIO),
        ("https://h.example/talk.mp3", "video/mp4", Kind.AUDIO),
        ("https://h.example/talk.mp3", "application/octet-stream", Kind.AUDIO),
        ("https://h.example/play", "application/vnd.apple.mpegurl; charset=utf-8", Kind.MANIFEST),
        ("https://h.example/play", "audio/x-scpls", Kind.PLAYLIST),
        ("https://h.example/talk.mp3", "image/jpeg", Kind.AUDIO),
        ("https://h.example/talk.wav", "text/html", Kind.AUDIO),
        ("https://h.example/talk.ogg", "application/x-shockwave-flash", Kind.AUDIO),
        ("https://h.example/talk.m4a", "application/rss+xml", Kind.AUDIO),
        ("https://h.example/film.ogg", "video/ogg", None),
        ("https://h.example/film", "video/mp4", None),
        ("https://h.example/cover.jpg", "audio/mpeg", None),
        ("https://h.example/cover", "image/jpeg", None),
        ("https://h.example/talk.mp3.srt", "audio/mpeg", None),
    ],
)
def test_a_declared_type_decides_where_the_name_does_not(url, mime_type, kind):
    assert classify(url, mime_type=mime_type) is kind


@pytest.mark.parametrize(
    ("url", "expected", "kind"),
    [
        ("https://h.example/audio/42", Kind.AUDIO, Kind.AUDIO),
        ("https://h.example/clip.mp4", Kind.AUDIO, Kind.AUDIO),
        ("https://h.example/notes.pdf", Kind.AUDIO, None),
        ("https://h.example/song.mp3", Kind.EMBED, Kind.AUDIO),
        ("https://h.example/embed/film.mpeg", Kind.EMBED, None),
        ("https://h.example/backend?format=rss", Kind.FEED, Kind.FEED),
        ("https://h.example/pc20/live", Kind.STREAM, Kind.STREAM),
        ("https://h.example/onair.mp3", Kind.STREAM, Kind.STREAM),
    ],
)
def test_the_place_of_a_url_decides_where_neither_name_nor_type_does(url, expected, kind):
    assert classify(url, expected=expected) is kind
