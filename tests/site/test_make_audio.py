"""The committed audio is small, covers the formats and extremes, and sounds as the script makes it."""

from pathlib import Path

import av
import pytest
from pydub import AudioSegment

from tests.site.behaviours import AUDIO
from tests.site.make_audio import CLIPS, make


def test_the_site_is_small():
    assert sum(path.stat().st_size for path in AUDIO.iterdir()) < 1_500_000


def test_every_file_is_made_by_the_script_and_every_clip_is_there():
    assert {path.name for path in AUDIO.iterdir()} == {clip.name for clip in CLIPS}


@pytest.mark.parametrize("name", ["foghorn.wav", "interview-anna.mp3", "rain.ogg"])
def test_the_script_makes_the_sound_of_the_committed_file(tmp_path: Path, name: str):
    clip = next(clip for clip in CLIPS if clip.name == name)
    committed, remade = decoded(AUDIO / name), decoded(make(clip, tmp_path))
    assert len(remade) == len(committed)
    assert remade.dBFS == pytest.approx(committed.dBFS, abs=0.1)


def decoded(path: Path) -> AudioSegment:
    """Return the whole file as 16-bit samples."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        to_s16 = av.AudioResampler(format="s16", layout=stream.layout, rate=stream.rate)
        frames = [frame for packet in container.decode(stream) for frame in to_s16.resample(packet)]
    pcm = b"".join(frame.to_ndarray().tobytes() for frame in frames)
    return AudioSegment(pcm, sample_width=2, frame_rate=stream.rate, channels=stream.channels)


def test_the_audio_covers_all_energy_classes_layouts_and_extremes():
    files = {path.name: decoded(path) for path in AUDIO.iterdir()}
    long_and_quiet = {name for name, audio in files.items() if len(audio) >= 60_000 and audio.dBFS <= -20}
    short_and_loud = {name for name, audio in files.items() if len(audio) < 60_000 and audio.dBFS > -20}
    assert long_and_quiet == {"lighthouse-log.mp3"}
    assert short_and_loud == {"foghorn.wav", "lantern.mp3", "overloaded.wav", "undertow.m4a"}
    assert {audio.channels for audio in files.values()} == {1, 2}
    assert files["quiet-room.wav"].max == 0
    assert files["overloaded.wav"].max >= 32_767


def test_the_audio_covers_the_formats():
    kinds = set()
    for path in AUDIO.iterdir():
        with av.open(str(path)) as container:
            kinds.add((path.suffix, container.streams.audio[0].codec_context.codec.canonical_name))
    assert kinds == {
        (".mp3", "mp3"),
        (".m4a", "aac"),
        (".aac", "aac"),
        (".flac", "flac"),
        (".wav", "pcm_s16le"),
        (".aiff", "pcm_s16be"),
        (".ogg", "vorbis"),
        (".opus", "opus"),
        (".webm", "opus"),
    }
