"""The limits within which an archive is unpacked, so that none fills the memory or the disk, or takes for ever."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from audiocrawler.model.errors import ArchiveError

PIECE_BYTES = 1 << 18
"""Unpacked at a time."""
MAX_NAME_BYTES = 1 << 12
"""Longest name of a member; what tar writes before a member may be a hundred times as long."""
MAX_NESTING = 1
"""An archive within an archive is unpacked, too; one within that is not."""
_FREE_BYTES = 1 << 28
"""So much may be unpacked from an archive of any size."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of one archive; ``max_member_bytes`` is 0 for no limit."""

    max_member_bytes: int = 0
    max_members: int = 2_000_000
    max_bytes: int = 1 << 42
    max_ratio: int = 250
    """Unpacked bytes for each packed one; silence in WAV files reaches 1000, speech 2."""
    max_unpacking_s: float = 24 * 3600.0
    """How long unpacking may take, without the time in which members are measured and stored."""


class Meter:
    """Counts what is unpacked from an archive of ``packed_bytes``; raises ArchiveError beyond the bounds.

    So it does when ``is_stopping`` says that the rest is left to a later run.
    """

    def __init__(self, bounds: Bounds, packed_bytes: int, is_stopping: Callable[[], bool] = lambda: False) -> None:
        self.bounds, self._is_stopping = bounds, is_stopping
        self.members = self.size_bytes = 0
        self.is_exceeded = False
        self._most_bytes = min(bounds.max_bytes, max(_FREE_BYTES, bounds.max_ratio * packed_bytes))
        self._packed_bytes = packed_bytes
        self._left_s = bounds.max_unpacking_s
        self._resumed_at = monotonic()

    def count_member(self) -> None:
        """Count a member, whatever it is."""
        self.members += 1
        if self.members > self.bounds.max_members:
            raise self._exceeded(f"an archive of more than {self.bounds.max_members} members")

    def count(self, size_bytes: int) -> None:
        """Count unpacked bytes, and the time."""
        self.size_bytes += size_bytes
        if self.size_bytes > self._most_bytes:
            raise self._exceeded(
                f"more than {self._most_bytes} bytes come out of an archive of {self._packed_bytes}: a bomb"
            )
        if self._is_stopping():
            raise self._exceeded("the crawl was stopped")
        if monotonic() - self._resumed_at > self._left_s:
            raise self._exceeded(f"unpacking takes longer than {self.bounds.max_unpacking_s:g} s")

    def pause(self) -> None:
        """Stop the clock until ``resume``."""
        self._left_s -= monotonic() - self._resumed_at

    def resume(self) -> None:
        """Start the clock again."""
        self._resumed_at = monotonic()

    def _exceeded(self, why: str) -> ArchiveError:
        self.is_exceeded = True
        return ArchiveError(why)
