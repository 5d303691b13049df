"""Whether a transfer makes progress: bytes that drip are none."""

from time import monotonic


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
