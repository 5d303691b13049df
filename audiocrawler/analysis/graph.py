"""Decoded frames of one format in, blocks and the EBU R 128 values out: one filter graph for all that is measured."""

from collections.abc import Iterable, Iterator

from av.audio.frame import AudioFrame
from av.filter import Graph
from av.filter.context import FilterContext

from audiocrawler.analysis.block import Block, block_of, frame_length

_BLOCK_VALUES = 1 << 17
_UNSUPPORTED_BY_NUMPY = {"s64": "dbl"}


class MeterGraph:
    """Splits the audio three ways: in pydub's format, in the decoder's own, and through FFmpeg's ebur128 filter."""

    def __init__(self, first: AudioFrame, pydub_format: str) -> None:
        self.r128: dict[str, str] = {}
        """Metadata of the ebur128 filter for all that has passed so far."""
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
    """Return a multiple of the 20 ms frame with about 131072 values over all channels."""
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
