"""Nothing but the bytes of the file itself is opened, whatever they say (promise 6)."""

from collections.abc import Iterator
from contextlib import suppress

import av
import pytest

from audiocrawler.analysis import analyse
from audiocrawler.analysis.decode import open_audio
from audiocrawler.model.errors import AnalysisError
from tests.analysis.sounds import speech_like, write_audio
from tests.strange_server import Wire, strange

HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:20\n#EXTINF:11,\n{target}\n#EXT-X-ENDLIST\n"
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S">'
    '<Period><AdaptationSet mimeType="audio/mpeg"><Representation id="1" bandwidth="64000"><BaseURL>{target}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>"
)
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 45454 RTP/AVP 0\n"
HOSTILE = {
    "hls.mp3": HLS,
    "hls.m3u8": HLS,
    "concat.mp3": "ffconcat version 1.0\nfile '{target}'\n",
    "dash.mp3": DASH,
    "dash.mpd": DASH,
    "session.mp3": SDP,
    "list.mp3": "[playlist]\nFile1={target}\nNumberOfEntries=1\n",
}


@pytest.fixture
def bait(formats) -> Iterator[tuple[str, list[str]]]:
    """The URL of a real MP3 file on a loopback server, and the paths that were asked for."""
    asked: list[str] = []

    def answer(wire: Wire, path: str) -> None:
        asked.append(path)
        wire.body((formats / "stereo.mp3").read_bytes(), kind="audio/mpeg")

    with strange(answer) as server:
        yield f"{server.url}/bait.mp3", asked


@pytest.mark.parametrize("name", HOSTILE)
def test_a_playlist_disguised_as_audio_fetches_nothing(tmp_path, bait, name):
    url, asked = bait
    path = tmp_path / name
    path.write_text(HOSTILE[name].format(target=url))
    with pytest.raises(AnalysisError):
        analyse(path)
    with pytest.raises(AnalysisError), open_audio(path):
        pass
    assert asked == []


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("target", ["file://{neighbour}", "{neighbour}", "secret.mp3"])
def test_a_playlist_disguised_as_audio_reads_no_other_file(tmp_path, formats, name, target):
    neighbour = tmp_path / "secret.mp3"
    neighbour.write_bytes((formats / "stereo.mp3").read_bytes())
    path = tmp_path / name
    path.write_text(HOSTILE[name].format(target=target.format(neighbour=neighbour)))
    with pytest.raises(AnalysisError):
        analyse(path)
    with pytest.raises(AnalysisError), open_audio(path):
        pass


def test_the_bait_would_be_taken_without_the_whitelists(tmp_path, bait):
    url, asked = bait
    path = tmp_path / "hls.m3u8"
    path.write_text(HLS.format(target=url))
    with path.open("rb") as file, av.open(file) as container:
        next(container.decode(audio=0))
    assert asked


def test_a_film_without_sound_is_refused(tmp_path):
    path = tmp_path / "film.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(AnalysisError, match=r"^no audio stream$"):
        analyse(path)


def test_a_damaged_file_leaves_no_traces_on_stderr(tmp_path, capfd, formats):
    for name in ("aac.m4a", "stereo.mp3", "voice.opus", "stereo.webm"):
        content = bytearray((formats / name).read_bytes())
        content[len(content) // 2 :: 7] = b"\xff" * len(content[len(content) // 2 :: 7])
        path = tmp_path / name
        path.write_bytes(content)
        with suppress(AnalysisError):
            analyse(path)
    assert capfd.readouterr() == ("", "")


def test_odd_names_are_just_names(tmp_path):
    for name in ("pipe:0", "http:%2f%2fexample.com", "-i.mp3", "tëst\udcff.mp3"):
        path = tmp_path / name
        write_audio(tmp_path / "plain.mp3", speech_like(0.3), "libmp3lame").rename(path)
        assert analyse(path)["codec"] == "mp3"
