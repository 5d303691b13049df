"""Measure a file in one pass: one decode, one filter graph, all meters."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import av

from audiocrawler.analysis.decode import Block, Decoder, MeterGraph, bounded, open_audio, pydub_format, uniform
from audiocrawler.analysis.headers import bit_rate_bps, declared_s, header_columns, id3_tags, is_cut_short, tag_columns
from audiocrawler.analysis.meters import (
    Clipping,
    Levels,
    Noise,
    PcmHash,
    PydubLoudness,
    Silence,
    Spectrum,
    Waveform,
    r128_columns,
)
from audiocrawler.analysis.rules import ANALYSER_VERSION, EnergyRule, Limits
from audiocrawler.model.errors import AnalysisError
from audiocrawler.sniff import sniff_file


class Meter(Protocol):
    """Measures a file block by block."""

    def add(self, block: Block) -> None:
        """Add the next block."""

    def columns(self) -> dict[str, Any]:
        """Return the measures by column name."""


def measure(path: Path, limits: Limits, energy: EnergyRule, opened: Callable[[], None]) -> dict[str, Any]:
    """Return the measured columns of a file; raises AnalysisError if it cannot be measured within the limits."""
    try:
        _refuse_other_types(path)
        with open_audio(path) as container:
            opened()
            columns = _measured(Decoder(container), path, limits)
    except MemoryError:
        raise
    except av.FFmpegError as error:
        raise AnalysisError(f"FFmpeg could not decode it: {error.strerror}") from error
    except OSError as error:
        raise AnalysisError(f"could not read the file: {error.strerror}") from error
    classification = energy.classify(columns["duration_ms"], columns["loudness"])
    return columns | {"classification": classification, "analyser_version": ANALYSER_VERSION}


def _refuse_other_types(path: Path) -> None:
    sniffed = sniff_file(path)
    if sniffed.is_audio is False:
        raise AnalysisError(f"{sniffed.name}, not audio")


def _measured(decoder: Decoder, path: Path, limits: Limits) -> dict[str, Any]:
    columns = _decoded(decoder, limits)
    duration_ms = columns["duration_ms"]
    partial = decoder.errors or is_cut_short(path, declared_s(decoder), duration_ms, decoder.stream.bit_rate)
    return {
        **columns,
        **header_columns(decoder),
        **tag_columns([decoder.container.metadata, decoder.stream.metadata, id3_tags(path)]),
        "bit_rate_bps": bit_rate_bps(decoder, path, duration_ms),
        "decode_errors": decoder.errors,
        "status": "partial" if partial else "ok",
    }


def _decoded(decoder: Decoder, limits: Limits) -> dict[str, Any]:
    frames = uniform(bounded(decoder.frames(), limits))
    announced_format = decoder.announced_format
    first = next(frames, None)
    if first is None:
        raise AnalysisError("no samples could be decoded")
    graph = MeterGraph(first, pydub_format(decoder.codec, announced_format or first.format.name))
    meters = _meters(first.sample_rate)
    length = 0
    for block in graph.blocks(chain([first], frames)):
        length += len(block.samples)
        for meter in meters:
            meter.add(block)
    duration_ms = round(1000 * (length / first.sample_rate))
    columns = {
        "duration_ms": duration_ms,
        "sample_rate_hz": first.sample_rate,
        "channels": first.layout.nb_channels,
        "samples": length,
    }
    for meter in meters:
        columns |= meter.columns()
    return columns | r128_columns(graph.r128, duration_ms)


def _meters(sample_rate_hz: int) -> list[Meter]:
    return [
        PydubLoudness(),
        Levels(),
        Clipping(),
        Silence(),
        Noise(),
        Spectrum(sample_rate_hz),
        Waveform(),
        PcmHash(),
    ]
