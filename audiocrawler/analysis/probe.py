"""A decoder in, what the headers say of its stream out."""

import re
from pathlib import Path
from typing import Any

import av
from av import logging as av_logging

from audiocrawler.analysis.decode import Decoder
from audiocrawler.analysis.widths import codec_bits


def header_columns(decoder: Decoder) -> dict[str, Any]:
    """Return container, codec and bits per sample, the latter None where the codec has no such thing."""
    return {
        "container": decoder.container.format.name,
        "codec": decoder.codec,
        "bits_per_sample": codec_bits(decoder.codec) or _lossless_bits(decoder),
    }


def bit_rate_bps(decoder: Decoder, path: Path, duration_ms: int) -> int | None:
    """Return the stream's bit rate, else that of the whole file."""
    if decoder.stream.bit_rate:
        return decoder.stream.bit_rate
    return round(path.stat().st_size * 8000 / duration_ms) if duration_ms else None


def declared_s(decoder: Decoder) -> float | None:
    """Return the duration in seconds that the headers declare or that FFmpeg estimates from them."""
    stream = decoder.stream
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return decoder.container.duration / av.time_base if decoder.container.duration else None


def _lossless_bits(decoder: Decoder) -> int | None:
    if not decoder.lossless:
        return None
    described = re.search(
        rf"Stream #0:{decoder.stream.index}\b.*: Audio: .*\b[su](\d+)p?\b(?: \((\d+) bit\))?", _description(decoder)
    )
    return int(described[2] or described[1]) if described else None


def _description(decoder: Decoder) -> str:
    """Return FFmpeg's description of the file, the only place where PyAV shows the bits of a raw sample."""
    level = av_logging.get_level()
    av_logging.set_level(av_logging.INFO)
    try:
        return str(decoder.container.dumps_format())  # type: ignore[attr-defined]  # left out of PyAV's stubs
    finally:
        av_logging.set_level(level)
