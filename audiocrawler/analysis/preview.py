"""Encode the first seconds of an audio file as a small Opus file, which every browser plays."""

import io
from collections.abc import Iterator
from typing import IO

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from audiocrawler.analysis.decode import Decoder, container_in
from audiocrawler.model.errors import AnalysisError

LENGTH_S = 10
RATE_HZ = 16_000
BIT_RATE_BPS = 16_000
"""Speech is clear and music can be told apart: 20 kB for ten seconds (RFC 7845 is the container)."""


def preview(file: IO[bytes]) -> bytes:
    """Return the first seconds of an audio file; raises AnalysisError if none can be decoded."""
    into = io.BytesIO()
    with container_in(file) as source, av.open(into, "w", format="ogg") as target:
        stream = target.add_stream("libopus", rate=RATE_HZ)
        stream.bit_rate, stream.layout = BIT_RATE_BPS, "mono"
        for frame in _first_seconds(source):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return into.getvalue()


def _first_seconds(source: av.container.InputContainer) -> Iterator[AudioFrame]:
    resampler = AudioResampler("s16", "mono", RATE_HZ)
    samples = 0
    for frame in Decoder(source).frames():
        for part in resampler.resample(frame):
            part.pts = None
            yield part
            samples += part.samples
        if samples >= LENGTH_S * RATE_HZ:
            return
    if not samples:
        raise AnalysisError("no sample can be decoded")
