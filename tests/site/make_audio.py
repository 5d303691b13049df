"""Makes the committed files of tests/site/audio: `python -m tests.site.make_audio [FOLDER]`.

The bytes in the repository are the reference; another version of the encoders may make others that sound the same.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer

from tests.site.signals import SIGNALS, Samples, at_level

AUDIO = Path(__file__).parent / "audio"

# Suffix of the file name: container and encoder.
_ENCODERS = {
    ".mp3": ("mp3", "libmp3lame"),
    ".m4a": ("ipod", "aac"),
    ".aac": ("adts", "aac"),
    ".flac": ("flac", "flac"),
    ".wav": ("wav", "pcm_s16le"),
    ".aiff": ("aiff", "pcm_s16be"),
    ".ogg": ("ogg", "vorbis"),
    ".opus": ("ogg", "libopus"),
    ".webm": ("webm", "libopus"),
}


@dataclass(frozen=True, slots=True)
class Clip:
    """A file to make: its name, what sounds in it, and how it is encoded."""

    name: str
    signal: str
    seconds: float = 1.5
    rate_hz: int = 16_000
    channels: int = 1
    kbps: int = 24
    level_dbfs: float = -23.0
    seed: int | None = None
    tags: dict[str, str] = field(default_factory=dict)


def _tags(title: str, artist: str, album: str) -> dict[str, str]:
    return {"title": title, "artist": artist, "album": album}


FIELD = (
    Clip("surf.mp3", "surf", 4, 22_050, 2, 48, tags=_tags("Surf at Skerry Head", "Skerry Sound Archive", "Shore")),
    Clip("harbour-bell.flac", "music", 2, 16_000, seed=7, tags=_tags("Harbour Bell", "Skerry Sound Archive", "Shore")),
    Clip("harbour-bell.mp3", "music", 2, 16_000, seed=7),
    Clip("harbour-bell.ogg", "music", 2, 16_000, 2, 48, seed=7),
    Clip("foghorn.wav", "music", 2, 8_000, level_dbfs=-16),
    Clip("creek.wav", "surf", 1, 8_000, level_dbfs=-30),
    Clip("tram.opus", "surf", 2, 48_000),
    Clip("market.webm", "surf", 2, 48_000, 2, 32),
    Clip("bells.aiff", "music", 1, 11_025),
    Clip("wind.aac", "surf", 2),
    Clip("rain.ogg", "surf", 2, 22_050, 2, 48, tags=_tags("Rain on Slate", "Skerry Sound Archive", "Weather")),
    Clip("gulls.ogg", "music", 1.5, 22_050, 2, 48),
    Clip("station-id.mp3", "music"),
    Clip("quiet-room.wav", "silence", 1, 8_000),
    Clip("overloaded.wav", "music", 1, 8_000, level_dbfs=-2),
)
TALK = (
    Clip("interview-anna.mp3", "speech", 5, tags=_tags("Anna, ferrywoman", "I. Moller", "Island Voices")),
    Clip(
        "interview-boris.m4a", "speech", 4, 22_050, 2, 32, tags=_tags("Boris, net mender", "I. Moller", "Island Voices")
    ),
    Clip("letter.opus", "speech", 3, 48_000),
    Clip("lighthouse-log.mp3", "speech", 68, 8_000, kbps=8, level_dbfs=-32, tags={"title": "The Keeper's Log"}),
    Clip("episode-1.mp3", "speech", 4, tags=_tags("Slack Water", "Low Tide", "Low Tide, season 1")),
    Clip("episode-2.mp3", "speech", 3, tags=_tags("The Ferry", "Low Tide", "Low Tide, season 1")),
    Clip("episode-3.m4a", "speech", 3),
    Clip("episode-4.ogg", "speech", 3, 22_050, 2, 48),
)
MUSIC = (
    Clip("lantern.mp3", "music", 6, 32_000, 2, 64, -14, tags=_tags("Lantern", "The Breakwaters", "Undertow")),
    Clip("undertow.m4a", "music", 4, 32_000, 2, 64, -18, tags=_tags("Undertow", "The Breakwaters", "Undertow")),
    Clip("long-swell.flac", "music", 2, 16_000, 2, tags=_tags("Long Swell", "The Breakwaters", "Undertow")),
    Clip("playlist-1.mp3", "music"),
    Clip("playlist-2.mp3", "music"),
    Clip("playlist-3.ogg", "music", 1.5, 22_050, 2, 48),
    Clip("cassette.mp3", "music", 6, 32_000, 2, 64),
    Clip("wax-cylinder.mp3", "music", 4, 22_050, 1, 48),
)
# Short ones, one for each way in which a page can name its audio or a server can hand it over.
PLAYED = (
    "absolute.mp3",
    "broken.mp3",
    "cdn.mp3",
    "download.mp3",
    "flaky.mp3",
    "graph.mp3",
    "hop-two.mp3",
    "no-scheme.mp3",
    "query.mp3",
    "slow.mp3",
    "structured.mp3",
    "withheld.mp3",
)
SPOKEN = (
    "base.mp3",
    "cafe.mp3",
    "cdn-page.mp3",
    "embed.mp3",
    "forecast.mp3",
    "hop-one.mp3",
    "lazy.mp3",
    "notebook.mp3",
    "signed.mp3",
    "stream-card.mp3",
    "vault.mp3",
)
SHORT = (
    *(Clip(name, "music") for name in PLAYED),
    *(Clip(name, "speech") for name in SPOKEN),
    Clip("packed.wav", "speech", 1, 8_000),
)
CLIPS = FIELD + TALK + MUSIC + SHORT


def make(clip: Clip, folder: Path) -> Path:
    """Write the file of ``clip`` into ``folder`` and return its path."""
    seed = clip.seed if clip.seed is not None else int.from_bytes(clip.name.encode(), "big")
    samples = at_level(SIGNALS[clip.signal](clip.seconds, clip.rate_hz, clip.channels, seed), clip.level_dbfs)
    path = folder / clip.name
    container, codec = _ENCODERS[path.suffix]
    # bitexact keeps random serial numbers and library versions out of the bytes.
    with av.open(str(path), "w", format=container, options={"fflags": "+bitexact"}) as output:
        output.metadata.update(clip.tags)
        layout = "stereo" if clip.channels == 2 else "mono"
        encoder = _add_encoder(output, codec, clip, layout)
        output.mux(encoder.encode(_frame(samples, clip.rate_hz, layout)))
        output.mux(encoder.encode(None))
    return path


def _add_encoder(output: OutputContainer, codec: str, clip: Clip, layout: str) -> AudioStream:
    options = {"flags": "+bitexact", "strict": "experimental"}  # FFmpeg calls its Vorbis encoder an experiment
    stream = output.add_stream(codec, rate=clip.rate_hz, layout=layout, options=options)
    assert isinstance(stream, AudioStream)
    if not codec.startswith(("pcm", "flac")):
        stream.bit_rate = clip.kbps * 1000
    return stream


def _frame(samples: Samples, rate_hz: int, layout: str) -> av.AudioFrame:
    pcm = np.round(samples * 32_767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(pcm.T.reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate = rate_hz
    return frame


def main() -> None:
    """Make every clip in the folder that the command line names, or in tests/site/audio."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else AUDIO
    folder.mkdir(parents=True, exist_ok=True)
    for clip in CLIPS:
        make(clip, folder)


if __name__ == "__main__":
    main()
