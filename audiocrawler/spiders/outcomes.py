"""What became of a request that brought no file: a status for its row, and the reason in one line."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from audiocrawler.download.body_file import TooLargeError, TotalReachedError
from audiocrawler.download.connect import RefusedAddressError
from audiocrawler.download.headers import is_endless, media_type
from audiocrawler.download.progress import EndlessError
from audiocrawler.download.reasons import explain, is_disk_full
from audiocrawler.download.robots import RobotsError
from audiocrawler.items import Status
from audiocrawler.masking import mask_text
from audiocrawler.middlewares.limit import LimitReachedError
from audiocrawler.middlewares.optouts import OptedOutError
from audiocrawler.middlewares.taken_down import TakenDownError
from audiocrawler.texts import one_line

MAX_REASON_LENGTH = 500
_MEASURED = re.compile(r"\bAUDIO_MIN_\w+ is ")
"""What the reason of a filtered file says where a measure of it was too small."""

_STATUS_OF: dict[type[Exception], Status] = {
    RefusedAddressError: Status.DENIED,
    RobotsError: Status.ROBOTS,
    OptedOutError: Status.OPTED_OUT,
    TakenDownError: Status.TAKEN_DOWN,
    LimitReachedError: Status.LIMIT,
    TooLargeError: Status.TOO_LARGE,
    TotalReachedError: Status.LIMIT,
    EndlessError: Status.STREAM,
}


_OF_ONE_FILE = frozenset(
    {
        *(Status.FAILED, Status.GONE, Status.NOT_AUDIO, Status.UNDECODABLE, Status.PROTECTED, Status.TOO_LARGE),
        *(Status.FILTERED, Status.STREAM, Status.ROBOTS, Status.DENIED),
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The status and the reason; ``disk_full`` says that it is not the URL's fault."""

    status: Status
    reason: str
    disk_full: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", one_line(self.reason, MAX_REASON_LENGTH))  # servers have a say in it

    @property
    def rules_out_recording(self) -> bool:
        """Whether this is said of the recording, whichever of its files is asked for: an opt-out, takedown, licence."""
        is_about_licence = self.status == Status.FILTERED and not _MEASURED.search(self.reason)
        return is_about_licence or self.status in {Status.OPTED_OUT, Status.TAKEN_DOWN}

    @property
    def leaves_alternates(self) -> bool:
        """Whether another file of the recording may be taken in place of this one."""
        return self.status in _OF_ONE_FILE and not self.rules_out_recording


def outcome_of_failure(failure: Failure) -> Outcome:
    """Return what a failed request comes to."""
    error = failure.value
    if isinstance(error, HttpError):
        status = Status.GONE if error.response.status == HTTPStatus.GONE else Status.FAILED
        return Outcome(status, f"HTTP {error.response.status}")
    if error is None:
        return Outcome(Status.FAILED, "failed without a reason")
    status = next((status for kind, status in _STATUS_OF.items() if isinstance(error, kind)), Status.FAILED)
    return Outcome(status, mask_text(explain(error)), is_disk_full(error))


def outcome_without_body(response: Response) -> Outcome:
    """Return what a successful answer to a request for audio comes to that brought no body."""
    if opt_out := response.meta.get("opted_out"):
        return opted_out(opt_out)
    if is_endless(response.headers):
        return Outcome(Status.STREAM, "an endless stream")
    if "download_stopped" in response.flags:
        came = response.meta.get("came") or media_type(response.headers)
        return Outcome(Status.NOT_AUDIO, f"{came} came in place of audio")
    return Outcome(Status.NOT_AUDIO, "empty: the server sent no byte")


def opted_out(signals: str) -> Outcome:
    """Return what an audio URL comes to that these signals opt out."""
    return Outcome(Status.OPTED_OUT, str(OptedOutError(signals)))
