"""Whether a transfer makes progress and will end: bytes that drip are none, and a radio has no end."""

from time import monotonic

from scrapy.exceptions import DownloadCancelledError


class EndlessError(DownloadCancelledError):
    """Raised when a body without a length goes on for longer than AUDIO_MAX_UNSIZED_S."""


class Progress:
    """Counts what a transfer brings within a window of seconds."""

    def __init__(self, window_s: float, least_bytes: float) -> None:
        self._window_s = window_s
        self._least_bytes = least_bytes
        self._begun_at = monotonic()
        self._bytes = 0

    def is_enough(self, size_bytes: int) -> bool:
        """Take note of more bytes; return False at the end of a window that brought too few."""
        self._bytes += size_bytes
        if monotonic() - self._begun_at < self._window_s:
            return True
        enough = self._bytes >= self._least_bytes
        self._begun_at, self._bytes = monotonic(), 0
        return enough


class Unsized:
    """The time that a body may take whose length nobody has told; one with a length may take any."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._ends_at: float | None = None

    def begin(self, length: object) -> None:
        """Begin to count if ``length`` is no number of bytes."""
        self._ends_at = None if isinstance(length, int) else monotonic() + self._longest_s

    def excess(self) -> str | None:
        """Return in words that the body has taken too long; None if it has not."""
        if self._ends_at is None or monotonic() < self._ends_at:
            return None
        return f"no length was told, and no end came within AUDIO_MAX_UNSIZED_S of {self._longest_s:g} s"
