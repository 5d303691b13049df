"""Files that promise or pack too much end within the limits, each with a reason, and harm no other (promise 5)."""

import asyncio
import struct
from pathlib import Path
from typing import Any

import pytest

from audiocrawler.analysis import AnalysisPool, EnergyRule, Limits, analyse
from audiocrawler.model.errors import AnalysisError
from tests.analysis.bombs import MADE, chained, png, sparse, vorbis_comments
from tests.analysis.boxes import id3, id3_frame, picture, wav
from tests.analysis.sounds import silence, tone, write_audio

OWN_MS = 500
LIMITS = Limits(max_duration_s=3600)
HEADERS_CPU_S = 4.0
REFUSED = {
    "flac of two days": "longer than 3600 s",
    "65535 channels": "no samples could be decoded",
    "300 channels": "300 channels, more than 64",
    "65 channels": "65 channels, more than 64",
    "rate of 0 Hz": "unknown audio format, or a damaged header",
    "rate of 1 Hz": "implausible sample rate 1 Hz",
    "rate of 4 GHz": "unknown audio format, or a damaged header",
    "blocks of no bytes": "no samples could be decoded",
    "samples of no bits": "no decoder for the codec of the audio stream",
    "atoms 100,000 deep": "unknown audio format, or a damaged header",
    "ogg of 3000 streams": "the file cannot be opened as audio: Cannot allocate memory",
    "tags 20,000 deep": "unknown audio format, or a damaged header",
    "100,000 empty blocks": "no samples could be decoded",
    "300,000 tags": "headers and tags took longer than 4 s to read",
    "200,000 comments": "unknown audio format, or a damaged header",
}
MEASURED_MS = {
    "a movie of 4 billion samples": 0,
    "a movie of 100 million samples": 531,
    "a movie of empty samples": 125,
    "2000 tracks": 500,
    "data of 4 GB in 8 kB": 500,
    "data of 0 bytes": 500,
    "a picture of 300 million pixels": OWN_MS,
    "200 MB of padding in a tag": OWN_MS,
    "a title of 200 MB": OWN_MS,
}
"""What is measured all the same: the sound that is there, and no more of it."""


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bombs")
    mp3 = write_audio(folder / "own.mp3", tone(440, 0.5, OWN_MS / 1000), "libmp3lame").read_bytes()
    ogg = write_audio(folder / "own.ogg", tone(440, 0.5, 0.5, channels=2), "vorbis").read_bytes()
    contents = {name: make() for name, make in MADE.items()} | {
        "data of 4 GB in 8 kB": wav(samples=bytes(8000), data_bytes=0xFFFFFFF0),
        "data of 0 bytes": wav(samples=bytes(8000), data_bytes=0),
        "300,000 tags": id3(*[id3_frame(b"TXXX", b"\0%d\0v" % number) for number in range(300_000)]) + mp3,
        "200,000 comments": vorbis_comments(200_000, 10, ogg),
        "a picture of 300 million pixels": id3(picture(b"image/png", png(10_000, 30_000))) + mp3,
    }
    paths = {name: folder / f"{number}.mp3" for number, name in enumerate(contents)}
    for name, path in paths.items():
        path.write_bytes(contents[name])
    size = 200_000_000
    text = b"TIT2" + struct.pack(">IH", size - 10, 0)
    return paths | {
        "200 MB of padding in a tag": sparse(folder / "padding.mp3", id3(size_bytes=size), size, mp3),
        "a title of 200 MB": sparse(folder / "title.mp3", id3(size_bytes=size) + text, size - len(text), mp3),
    }


@pytest.fixture(scope="module")
def outcomes(bombs: dict[str, Path]) -> dict[str, Any]:
    """Columns or error of each, from workers that have the real limits of memory; a good file is between any two."""
    good = next(iter(bombs.values())).parent / "own.ogg"

    async def run() -> list[Any]:
        pool = AnalysisPool(2, limits=LIMITS, energy=EnergyRule(), wall_timeout_s=60, headers_cpu_s=HEADERS_CPU_S)
        paths = [path for bomb in bombs.values() for path in (bomb, good)]
        answers = await asyncio.gather(*map(pool.analyse, paths), return_exceptions=True)
        await pool.close()
        return answers

    answers = asyncio.run(run())
    assert all(isinstance(row, dict) and row["channels"] == 2 for row in answers[1::2])
    return dict(zip(bombs, answers[::2], strict=True))


def test_each_bomb_is_refused_with_its_reason(outcomes: dict[str, Any]) -> None:
    refused = {name: str(outcome) for name, outcome in outcomes.items() if isinstance(outcome, AnalysisError)}
    assert refused == REFUSED


def test_what_is_there_is_measured_and_nothing_else(outcomes: dict[str, Any]) -> None:
    assert {name: row["duration_ms"] for name, row in outcomes.items() if isinstance(row, dict)} == MEASURED_MS


def test_texts_of_tags_are_bounded(outcomes: dict[str, Any]) -> None:
    for name, row in outcomes.items():
        if isinstance(row, dict):
            assert sum(map(len, (row["tags"] or {}).values())) < 10_000, name


@pytest.mark.parametrize(
    ("codec", "suffix", "sample_format"), [("flac", "flac", "s16"), ("wavpack", "wv", "s16p"), ("tta", "tta", "s16")]
)
def test_silence_that_packs_well_is_decoded_up_to_the_limits(
    codec: str, suffix: str, sample_format: str, tmp_path: Path
) -> None:
    quiet = silence(30, channels=2)
    path = write_audio(tmp_path / f"silence.{suffix}", quiet, codec, sample_format=sample_format, repeat=2)
    with pytest.raises(AnalysisError, match="longer than 40 s"):
        analyse(path, limits=Limits(max_duration_s=40))
    with pytest.raises(AnalysisError, match="more than 1000000 samples"):
        analyse(path, limits=Limits(max_samples=1_000_000))


def test_chained_streams_are_decoded_up_to_the_limits(tmp_path: Path) -> None:
    link = write_audio(tmp_path / "link.opus", tone(440, 0.5, 1.5, rate_hz=48_000), "libopus", rate_hz=48_000)
    path = tmp_path / "endless.opus"
    path.write_bytes(chained([link.read_bytes()], 200))
    with pytest.raises(AnalysisError, match="longer than 20 s"):
        analyse(path, limits=Limits(max_duration_s=20))


def test_chained_streams_of_other_rates_and_channels_end(tmp_path: Path) -> None:
    links = [
        write_audio(
            tmp_path / f"{channels}.ogg",
            tone(440, 0.5, 0.2, channels=channels, rate_hz=rate_hz),
            codec,
            rate_hz=rate_hz,
        ).read_bytes()
        for codec, rate_hz, channels in (("libopus", 48_000, 1), ("libopus", 48_000, 2), ("vorbis", 22_050, 2))
    ]
    path = tmp_path / "mixed.ogg"
    path.write_bytes(chained(links, 300))
    assert 200 <= analyse(path)["duration_ms"] <= 300 * 220
