"""How a host treats a crawl: its refusals in a row, the pause that they call for, and when it is left."""

from dataclasses import dataclass, field
from http import HTTPStatus

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
"""Each further refusal doubles the pause, up to this."""
NEW_HOST_REFUSALS = 6
"""Refusals in a row after which a host that has never served anything is left: 31 s of pauses."""
SERVING_HOST_REFUSALS = 7
"""The same for one that has served: 63 s ..."""
SILENT_HOST_REFUSALS = 10
"""... and for one that has served and does not answer any more, as when it restarts or the network is down: 4 min."""
REFUSALS = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
) | frozenset(range(520, 525))
"""Statuses that speak of the host rather than of the URL; 520 to 524 are those of a CDN whose origin is away."""


def growing_pause_s(times: int) -> float:
    """Return the pause after so many failures: 1, 2, 4 ... s."""
    return min(FIRST_PAUSE_S * 2.0 ** min(max(times, 1) - 1, 30), LONGEST_PAUSE_S)


@dataclass(slots=True)
class Health:
    """Of the pages, or of the files, of one host. Times are seconds of one monotonic clock.

    A run of refusals ends with the first answer to a request that was sent since the run began. Requests that were sent
    before the last pause began belong to the refusal that caused it. Where the host has served other requests, only
    those that are sent for the first time tell of the host: the last few files may all be bad ones.
    """

    has_served: bool = False
    refusals: int = 0
    """In the run, a pause each."""
    pause_s: float = 0.0
    """The last pause of the run; 0 outside of one."""
    _began_at: float = 0.0
    _paused_at: float = -1.0
    _refused: set[bytes] = field(default_factory=set)
    """Fingerprints of the run's requests."""

    def serve(self, sent_at: float) -> bool:
        """Note an answer; return whether it has ended a run."""
        self.has_served = True
        if not self.pause_s or sent_at < self._began_at:
            return False
        self.refusals, self.pause_s = 0, 0.0
        self._refused.clear()
        return True

    def refuse(self, fingerprint: bytes, tries: int, sent_at: float, now: float) -> float:
        """Note a refusal of a request's ``tries``-th try; return the pause that it calls for, 0 if it had called."""
        if not self.pause_s:
            self._began_at = now
        self._refused.add(fingerprint)
        if sent_at <= self._paused_at:
            return 0.0
        self.refusals += tries == 1 or not self.has_served
        own_s = growing_pause_s(tries) / len(self._refused)
        self.pause_s = max(growing_pause_s(self.refusals), own_s)
        self._paused_at = now
        return self.pause_s

    def is_hopeless(self, *, is_silent: bool) -> bool:
        """Return whether the host is to be left; ``is_silent`` says that the last refusal was no answer at all."""
        if not self.has_served:
            return self.refusals >= NEW_HOST_REFUSALS
        return self.refusals >= (SILENT_HOST_REFUSALS if is_silent else SERVING_HOST_REFUSALS)
