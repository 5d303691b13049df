"""Decoded frames in; a FLAC, WAV or Opus file of the rate that was asked for out, in bounded memory."""

from collections.abc import Iterable, Iterator
from typing import IO, Any

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from audiocrawler.export.core import OPUS_RATE_HZ, Sound
from audiocrawler.model.errors import AnalysisError

_CONTAINERS = {"flac": "flac", "wav": "wav", "opus": "ogg"}
_CODECS = {"flac": "flac", "wav": "pcm_s16le", "opus": "libopus"}
_TYPES = {"flac": "audio/flac", "wav": "audio/wav", "opus": "audio/ogg"}


def convert(frames: Iterable[AudioFrame], target: IO[bytes], sound: Sound) -> dict[str, Any]:
    """Write the frames, and return what the columns of a row say of the file. Raises AnalysisError.

    Nothing in it tells of the time or the encoder, so that the same frames are always the same bytes.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise AnalysisError("no samples could be decoded")
    rate_hz = sound.rate_hz or (OPUS_RATE_HZ if sound.kind == "opus" else first.sample_rate)
    layout = "mono" if sound.mono else first.layout.name
    try:
        samples = _encode(_from(first, frames), target, sound.kind, (rate_hz, layout))
    except (av.FFmpegError, ValueError) as error:
        raise AnalysisError(f"cannot be written as {sound.kind}: {error}") from error
    return {
        "content_type": _TYPES[sound.kind],
        "container": _CONTAINERS[sound.kind],
        "codec": "opus" if sound.kind == "opus" else _CODECS[sound.kind],
        "sample_rate_hz": rate_hz,
        "channels": 1 if sound.mono else first.layout.nb_channels,
        "bits_per_sample": None if sound.kind == "opus" else 16,
        "bit_rate_bps": None,
        "samples": samples,
        "duration_ms": round(1000 * samples / rate_hz),
    }


def _from(first: AudioFrame, rest: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
    yield first
    yield from rest


def _encode(frames: Iterable[AudioFrame], target: IO[bytes], kind: str, shape: tuple[int, str]) -> int:
    rate_hz, layout = shape
    samples = 0
    options = {"fflags": "+bitexact"}
    with av.open(target, "w", format=_CONTAINERS[kind], options=options) as container:
        stream = container.add_stream(_CODECS[kind], rate=rate_hz, options={"flags": "+bitexact"})
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout = layout
        resampler = AudioResampler("s16", layout, rate_hz)
        for frame in _resampled(frames, resampler):
            frame.pts = samples
            samples += frame.samples
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return samples


def _resampled(frames: Iterable[AudioFrame], resampler: AudioResampler) -> Iterator[AudioFrame]:
    for frame in frames:
        frame.pts = None  # timestamps of damaged files would make the resampler invent or drop samples
        yield from resampler.resample(frame)
    yield from resampler.resample(None)
