"""A file in, the decoded frames of its first audio stream out; nothing but the bytes of that file is opened."""

import errno
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from audiocrawler.errors import AnalysisError

# Formats that hold their audio themselves: none of these demuxers opens a file or a URL that the bytes name.
_FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,iff,loas,matroska,mlp,mov,mp3,mpc,mpc8,"
    "mpeg,mpegts,nistsphere,oma,ogg,qoa,rm,shn,tak,truehd,tta,voc,w64,wav,wv"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
_READ_BYTES = 1 << 16


class _AudioFile(io.FileIO):
    """A file that answers an impossible seek, which damaged files ask for, as FFmpeg expects: with an error code."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        try:
            return super().seek(offset, whence)
        except OSError:
            return -errno.EINVAL


@contextmanager
def open_audio(path: Path) -> Iterator[InputContainer]:
    """Open a media file for reading; raises AnalysisError if FFmpeg does not know the format."""
    with _AudioFile(path) as file:
        try:
            container = av.open(file, "r", options=_OPTIONS, metadata_errors="replace", buffer_size=_READ_BYTES)
        except (av.InvalidDataError, EOFError) as error:
            raise AnalysisError("no known audio format, or a damaged header") from error
        except av.FFmpegError as error:
            raise AnalysisError(f"the file cannot be opened as audio: {error.strerror}") from error
        with container:
            yield container


class Decoder:
    """Decodes the first audio stream of a container; ``errors`` counts the packets that could not be decoded."""

    def __init__(self, container: InputContainer) -> None:
        """Raise AnalysisError if there is no audio stream or no decoder for it."""
        if not container.streams.audio:
            raise AnalysisError("no audio stream")
        self.container = container
        self.stream: AudioStream = container.streams.audio[0]
        self.errors = 0
        context: AudioCodecContext | None = self.stream.codec_context
        if context is None:
            raise AnalysisError("no decoder for the codec of its audio stream")
        self._context = context

    @property
    def codec(self) -> str:
        """Codec in FFmpeg's terms, such as mp3 or pcm_s16le."""
        return self._context.codec.canonical_name

    @property
    def announced_format(self) -> str | None:
        """Sample format in FFmpeg's terms that probing has found; that of the decoded frames may differ."""
        sample_format = self._context.format
        return sample_format.name if sample_format else None

    @property
    def lossless(self) -> bool:
        """Whether the codec keeps every bit of integer samples."""
        return self._context.codec.lossless

    def frames(self) -> Iterator[AudioFrame]:
        """Yield what can be decoded; a packet that cannot is counted and skipped."""
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
        yield None  # asks the decoder for what it still holds
