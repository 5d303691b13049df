"""Decoded frames in, the same frames out: as long as they stay within the limits, and all in one format."""

from collections.abc import Iterable, Iterator

import av
from av.audio.frame import AudioFrame

from audiocrawler.analysis.limits import Limits
from audiocrawler.errors import AnalysisError


def bounded(frames: Iterable[AudioFrame], limits: Limits) -> Iterator[AudioFrame]:
    """Yield the frames; raises AnalysisError at the first one that goes beyond a limit."""
    duration_s, samples = 0.0, 0
    for frame in frames:
        rate_hz, channels = frame.sample_rate, frame.layout.nb_channels
        if not limits.min_sample_rate_hz <= rate_hz <= limits.max_sample_rate_hz:
            raise AnalysisError(f"sample rate {rate_hz} Hz is not plausible")
        if channels > limits.max_channels:
            raise AnalysisError(f"{channels} channels, more than {limits.max_channels}")
        duration_s += frame.samples / rate_hz
        samples += frame.samples * channels
        if duration_s > limits.max_duration_s:
            raise AnalysisError(f"longer than {limits.max_duration_s:g} s")
        if samples > limits.max_samples:
            raise AnalysisError(f"more than {limits.max_samples} samples")
        yield frame


def uniform(frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
    """Yield the frames, those that come in another format than the first converted to that of the first."""
    first: AudioFrame | None = None
    current: tuple[str, str, int] | None = None
    converter: av.AudioResampler | None = None
    for frame in frames:
        first = first or frame
        if (arriving := _format_of(frame)) != current:
            if converter:
                yield from converter.resample(None)
            same = arriving == _format_of(first)
            converter = None if same else av.AudioResampler(first.format, first.layout, first.sample_rate)
            current = arriving
        frame.pts = None  # timestamps of damaged files would make the converter invent or drop samples
        yield from converter.resample(frame) if converter else (frame,)
    if converter:
        yield from converter.resample(None)


def _format_of(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
