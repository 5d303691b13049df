"""Real audio in every common format, made once per session."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.analysis.sounds import RATE_HZ, Signal, speech_like, tone, write_audio

# AAC holds 1024 samples a frame, and versions of FFmpeg differ over the padding of a last frame that is not full.
_SECONDS = 100 * 1024 / RATE_HZ

# file name: codec, sample format if not the encoder's first, rate, channels
FORMATS: dict[str, tuple[str, str | None, int, int]] = {
    "stereo.mp3": ("libmp3lame", None, RATE_HZ, 2),
    "mono.mp3": ("libmp3lame", None, RATE_HZ, 1),
    "low_rate.mp3": ("libmp3lame", None, 22_050, 1),
    "layer2.mp2": ("mp2", None, RATE_HZ, 2),
    "aac.m4a": ("aac", None, RATE_HZ, 2),
    "alac.m4a": ("alac", "s16p", RATE_HZ, 2),
    "stereo.flac": ("flac", "s16", RATE_HZ, 2),
    "surround.flac": ("flac", "s16", RATE_HZ, 6),
    "8bit.wav": ("pcm_u8", None, RATE_HZ, 1),
    "16bit.wav": ("pcm_s16le", None, RATE_HZ, 2),
    "24bit.wav": ("pcm_s24le", None, RATE_HZ, 2),
    "float.wav": ("pcm_f32le", None, RATE_HZ, 2),
    "telephone.wav": ("pcm_mulaw", None, 8_000, 1),
    "vorbis.ogg": ("vorbis", None, RATE_HZ, 2),
    "voice.opus": ("libopus", None, 48_000, 1),
    "stereo.webm": ("libopus", None, 48_000, 2),
    "stereo.aiff": ("pcm_s16be", None, RATE_HZ, 2),
}


@pytest.fixture(scope="session")
def formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same kind of sound in each of FORMATS."""
    folder = tmp_path_factory.mktemp("formats")
    for name, (codec, sample_format, rate_hz, channels) in FORMATS.items():
        signal = speech_like(_SECONDS, channels=channels, rate_hz=rate_hz)
        write_audio(folder / name, signal, codec, rate_hz=rate_hz, sample_format=sample_format)
    return folder


@pytest.fixture
def wav(tmp_path: Path) -> Callable[..., Path]:
    """Write a signal as a 16-bit WAV file."""

    def write(signal: Signal, *, rate_hz: int = RATE_HZ, name: str = "sound.wav") -> Path:
        return write_audio(tmp_path / name, signal, "pcm_s16le", rate_hz=rate_hz)

    return write


@pytest.fixture
def beep(wav: Callable[..., Path]) -> Path:
    """A tone of half a second."""
    return wav(tone(440, 0.5, 0.5), name="beep.wav")
