"""Decoders see the bytes of their file and nothing else: no address is asked, no other file is read (promise 6)."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from audiocrawler.analysis.decode import Decoder, open_audio
from audiocrawler.model.errors import AnalysisError
from tests.analysis.boxes import id3, id3_frame
from tests.analysis.references import audio_with_links, movies, texts
from tests.analysis.sounds import tone, write_audio
from tests.analysis.test_pool import measured

NEIGHBOUR_MS = 3000
OWN_SOUND_MS = {"matroska-linked": 100, "id3-links": 500, "asf-script": 549, "ogg-skeleton": 511}
"""Files that have sound of their own: it is measured, and their links are left alone."""
OWN_BYTES_MS = 50
"""Movies without samples, whose own headers FFmpeg may take for some."""


class CountingServer:
    """Counts the connections to a port of loopback; it does not answer."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        with suppress(OSError):  # the socket is closed
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def server() -> Iterator[CountingServer]:
    counting = CountingServer()
    yield counting
    counting.close()


@pytest.fixture(scope="module")
def contents(server: CountingServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """The folder with the neighbour, and the bytes of each file by its name."""
    folder = tmp_path_factory.mktemp("references")
    neighbour = write_audio(folder / "neighbour.mp3", tone(440, 0.5, NEIGHBOUR_MS / 1000), "libmp3lame")
    short = {"mp3": ("libmp3lame", 1), "asf": ("libmp3lame", 1), "ogg": ("vorbis", 2)}
    mp3, asf, ogg = (
        write_audio(folder / f"own.{suffix}", tone(440, 0.5, 0.5, channels=channels), codec).read_bytes()
        for suffix, (codec, channels) in short.items()
    )
    playlists = {name: text.encode() for name, text in texts(server.url, neighbour).items()}
    behind_a_tag = {f"{name}-id3": id3(id3_frame(b"TIT2", b"\0x")) + text for name, text in playlists.items()}
    linked = movies(server.url, neighbour) | audio_with_links(server.url, neighbour, mp3, asf, ogg)
    return folder, playlists | behind_a_tag | linked


@pytest.fixture(scope="module", params=[".mp3", ".m4a", ".m3u8"])
def outcomes(
    request: pytest.FixtureRequest, server: CountingServer, contents: tuple[Path, dict[str, bytes]]
) -> dict[str, Any]:
    """Columns or error of each file under a suffix, from the real workers."""
    folder, files = contents
    paths = [folder / f"{name}{request.param}" for name in files]
    for path in paths:
        path.write_bytes(files[path.stem])
    before = server.connections
    answers = dict(zip(files, measured(paths), strict=True))
    assert server.connections == before
    return answers


def test_files_without_sound_of_their_own_are_refused(outcomes: dict[str, Any]) -> None:
    movies_with_bytes = {"dref-url", "dref-file"}
    for name, outcome in outcomes.items():
        if name not in {*OWN_SOUND_MS, *movies_with_bytes}:
            assert isinstance(outcome, AnalysisError), name
            assert "\n" not in str(outcome)
    for name in movies_with_bytes:
        assert outcomes[name]["duration_ms"] < OWN_BYTES_MS


def test_links_beside_the_sound_are_left_alone(outcomes: dict[str, Any]) -> None:
    assert {name: outcomes[name]["duration_ms"] for name in OWN_SOUND_MS} == OWN_SOUND_MS


def test_the_decoder_refuses_them_also_where_nothing_is_sniffed(
    server: CountingServer, contents: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder, files = contents
    for name, content in files.items():
        path = folder / f"{name}.bare"  # the neighbour is beside it
        path.write_bytes(content)
        assert seconds_decoded(path) <= OWN_SOUND_MS.get(name, OWN_BYTES_MS) / 1000, name
    assert server.connections == 0


def seconds_decoded(path: Path) -> float:
    try:
        with open_audio(path) as container:
            return sum(frame.samples / frame.sample_rate for frame in Decoder(container).frames())
    except AnalysisError:
        return 0
