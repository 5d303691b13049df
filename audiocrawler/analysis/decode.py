"""Decode a file into bounded blocks of audio, with EBU R 128 values, without opening any other file or URL."""

import errno
import io
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.filter import Graph
from av.filter.context import FilterContext
from av.packet import Packet
from numpy.typing import NDArray

from audiocrawler.analysis.rules import Limits
from audiocrawler.model.errors import AnalysisError

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Couldn't find ff", RuntimeWarning)
    from pydub import AudioSegment
    from pydub.utils import ratio_to_db

__all__ = ["AudioSegment", "ratio_to_db"]


_EIGHT_BITS = {"pcm_alaw", "pcm_mulaw", "pcm_vidc", "pcm_sga"}
_FORMAT_OF_BITS = {8: "u8", 16: "s16"}


def pydub_format(codec: str, announced_format: str) -> str:
    """Return u8, s16 or s32 (FFmpeg's names), as chosen by ``pydub.AudioSegment.from_file``.

    pydub uses the codec's bits per sample, or those of the announced format where the codec has none, but 16 for MP3
    and AAC that are announced as floats.
    """
    if codec in {"mp3", "aac"} and announced_format == "fltp":
        return "s16"
    return _FORMAT_OF_BITS.get(codec_bits(codec) or _format_bits(announced_format), "s32")


def codec_bits(codec: str) -> int | None:
    """Return the bits per sample implied by the codec's name, like FFmpeg's ``av_get_bits_per_sample``."""
    if codec in _EIGHT_BITS or codec.startswith("dsd_"):
        return 8
    pcm = re.match(r"pcm_[fsu](\d+)", codec)
    return int(pcm[1]) if pcm else None


def _format_bits(announced_format: str) -> int:
    integer = re.match(r"[su](\d+)", announced_format)
    return int(integer[1]) if integer else 32


FRAME_S = 0.02
_LARGEST = 1e6
_WIDTHS = {"u8": 1, "s16": 2, "s32": 4}

Samples = NDArray[np.float64]


def frame_length(sample_rate_hz: int) -> int:
    """Return the length of a 20 ms frame in samples of one channel."""
    return max(1, round(sample_rate_hz * FRAME_S))


@dataclass(frozen=True, slots=True)
class Block:
    """Some seconds of audio, a whole number of 20 ms frames unless it is the last one."""

    segment: AudioSegment
    """The samples as pydub would have them for the whole file."""
    samples: Samples
    """The decoder's own samples, shape (samples, channels), full scale is 1."""
    powers: Samples
    """Mean square of each 20 ms frame over all channels."""


def block_of(pydub_frame: AudioFrame, own_frame: AudioFrame) -> Block:
    """Return a block of the same audio in pydub's format and in the decoder's (both packed)."""
    samples = _full_scale_one(own_frame.to_ndarray().reshape(own_frame.samples, -1))
    length = frame_length(own_frame.sample_rate)
    powers = _powers(samples, length)
    if not np.isfinite(powers).all():  # files of floats may contain NaN and infinity
        samples = np.nan_to_num(samples).clip(-_LARGEST, _LARGEST)
        powers = _powers(samples, length)
    return Block(_segment(pydub_frame), samples, powers)


def _segment(frame: AudioFrame) -> AudioSegment:
    values: NDArray[Any] = frame.to_ndarray()
    if values.dtype == np.uint8:
        values = values.view(np.int8) ^ -128  # pydub's 8-bit samples are signed
    return AudioSegment(
        data=values.tobytes(),
        sample_width=_WIDTHS[frame.format.name],
        frame_rate=frame.sample_rate,
        channels=frame.layout.nb_channels,
    )


def _full_scale_one(values: NDArray[Any]) -> Samples:
    with np.errstate(invalid="ignore"):  # files of floats may contain signalling NaNs
        samples = values.astype(np.float64)
    if values.dtype == np.uint8:
        samples -= 128
    if values.dtype.kind in "iu":
        samples /= 1 << (8 * values.itemsize - 1)
    return samples


def _powers(samples: Samples, length: int) -> Samples:
    whole = len(samples) // length * length
    # einsum, because dot would start BLAS threads for each block
    frames = samples[:whole].reshape(whole // length, length * samples.shape[1])
    powers = np.einsum("ij,ij->i", frames, frames) / (length * samples.shape[1])
    rest = samples[whole:].ravel()
    return np.append(powers, np.einsum("i,i->", rest, rest) / rest.size) if rest.size else powers


# Self-contained formats: none of these demuxers opens a file or URL named in the bytes.
_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,iff,loas,matroska,mlp,mov,mp3,mpc,mpc8,"
    "mpeg,mpegts,nistsphere,oma,ogg,qoa,rm,shn,tak,truehd,tta,voc,w64,wav,wv"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
_READ_BYTES = 1 << 16


class _AudioFile(io.FileIO):
    """A file that returns an error code for an impossible seek, as FFmpeg expects; damaged files cause them."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        try:
            return super().seek(offset, whence)
        except OSError:
            return -errno.EINVAL


@contextmanager
def open_audio(path: Path) -> Iterator[InputContainer]:
    """Open a media file for reading; raises AnalysisError for an unknown format."""
    with _AudioFile(path) as file, container_in(file) as container:
        yield container


@contextmanager
def container_in(file: IO[bytes]) -> Iterator[InputContainer]:
    """Read a seekable open file; raises as ``open_audio`` does."""
    try:
        container = av.open(file, "r", options=_OPTIONS, metadata_errors="replace", buffer_size=_READ_BYTES)
    except (av.InvalidDataError, EOFError) as error:
        raise AnalysisError("unknown audio format, or a damaged header") from error
    except av.FFmpegError as error:
        raise AnalysisError(f"the file cannot be opened as audio: {error.strerror}") from error
    with container:
        yield container


class Decoder:
    """Decoder of a container's first audio stream; ``errors`` counts the packets that could not be decoded."""

    def __init__(self, container: InputContainer) -> None:
        """Raise AnalysisError if there is no audio stream or no decoder for it."""
        if not container.streams.audio:
            raise AnalysisError("no audio stream")
        self.container = container
        self.stream: AudioStream = container.streams.audio[0]
        self.errors = 0
        context: AudioCodecContext | None = self.stream.codec_context
        if context is None:
            raise AnalysisError("no decoder for the codec of the audio stream")
        self._context = context

    @property
    def codec(self) -> str:
        """Return FFmpeg's name of the codec, such as mp3 or pcm_s16le."""
        return self._context.codec.canonical_name

    @property
    def announced_format(self) -> str | None:
        """Return FFmpeg's name of the probed sample format; that of the decoded frames may differ."""
        sample_format = self._context.format
        return sample_format.name if sample_format else None

    @property
    def lossless(self) -> bool:
        """Return whether the codec is lossless for integer samples."""
        return self._context.codec.lossless

    def frames(self) -> Iterator[AudioFrame]:
        """Yield the decoded frames; packets that cannot be decoded are counted and skipped."""
        for packet in self._packets():
            try:
                yield from self._context.decode(packet)
            except MemoryError:
                raise
            except EOFError:
                return
            except av.FFmpegError:
                self.errors += 1

    def _packets(self) -> "Iterator[Packet[AudioStream] | None]":
        try:
            yield from (packet for packet in self.container.demux(self.stream) if packet.size)
        except MemoryError:
            raise
        except av.FFmpegError:
            self.errors += 1
        yield None  # flushes the decoder


def bounded(frames: Iterable[AudioFrame], limits: Limits) -> Iterator[AudioFrame]:
    """Yield the frames; raises AnalysisError at the first one that exceeds a limit."""
    duration_s, samples = 0.0, 0
    for frame in frames:
        rate_hz, channels = frame.sample_rate, frame.layout.nb_channels
        if not limits.min_sample_rate_hz <= rate_hz <= limits.max_sample_rate_hz:
            raise AnalysisError(f"implausible sample rate {rate_hz} Hz")
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
    """Yield the frames, all converted to the format of the first one."""
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


_BLOCK_VALUES = 1 << 17
_UNSUPPORTED_BY_NUMPY = {"s64": "dbl"}


class MeterGraph:
    """Splits the audio three ways: in pydub's format, in the decoder's own, and through FFmpeg's ebur128 filter."""

    def __init__(self, first: AudioFrame, pydub_format: str) -> None:
        self.r128: dict[str, str] = {}
        """Metadata of the ebur128 filter for everything so far."""
        own_format = first.format.packed.name
        own_format = _UNSUPPORTED_BY_NUMPY.get(own_format, own_format)
        self._block_length = _block_length(first)
        self._graph = Graph()
        self._graph.threads = 1
        self._source = self._add_source(first)
        split = self._graph.add("asplit", "3")
        self._source.link_to(split)
        self._pydub_sink = self._add_blocks(split, 0, pydub_format)
        self._own_sink = self._add_blocks(split, 1, own_format)
        self._r128_sink = self._add_branch(split, 2, [("ebur128", "metadata=1:framelog=quiet")])
        self._graph.configure()

    def blocks(self, frames: Iterable[AudioFrame]) -> Iterator[Block]:
        """Yield the audio of the frames as blocks."""
        waiting = 0
        for frame in frames:
            self._source.push(frame)
            waiting += frame.samples
            if waiting >= self._block_length:
                waiting = 0
                yield from self._drain()
        self._source.push(None)
        yield from self._drain()

    def _add_source(self, first: AudioFrame) -> FilterContext:
        return self._graph.add(
            "abuffer",
            sample_rate=str(first.sample_rate),
            sample_fmt=first.format.name,
            channel_layout=first.layout.name,
            time_base=f"1/{first.sample_rate}",
        )

    def _add_blocks(self, split: FilterContext, output: int, sample_format: str) -> FilterContext:
        to_format = ("aformat", f"sample_fmts={sample_format}")
        to_blocks = ("asetnsamples", f"n={self._block_length}:p=0")
        return self._add_branch(split, output, [to_format, to_blocks])

    def _add_branch(self, split: FilterContext, output: int, filters: list[tuple[str, str]]) -> FilterContext:
        added = [self._graph.add(name, arguments) for name, arguments in filters]
        added.append(self._graph.add("abuffersink"))
        split.link_to(added[0], output)
        self._graph.link_nodes(*added)
        return added[-1]

    def _drain(self) -> Iterator[Block]:
        for pydub_frame, own_frame in zip(_pull(self._pydub_sink), _pull(self._own_sink), strict=True):
            yield block_of(pydub_frame, own_frame)
        for measured in _pull(self._r128_sink):
            # only frames that complete 100 ms carry the values
            self.r128 = measured.metadata or self.r128


def _block_length(first: AudioFrame) -> int:
    """Return a multiple of the 20 ms frame, about 131072 values over all channels."""
    length = frame_length(first.sample_rate)
    return length * max(1, _BLOCK_VALUES // (length * first.layout.nb_channels))


def _pull(sink: FilterContext) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = sink.pull()
        except (BlockingIOError, EOFError):
            return
        assert isinstance(frame, AudioFrame)
        yield frame
