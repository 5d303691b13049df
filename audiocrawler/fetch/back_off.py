"""Retry passing failures with growing pauses, and give up hosts that keep refusing."""

import logging
import random
import time
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from weakref import WeakSet

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import CannotResolveHostError, IgnoreRequest
from scrapy.http import Response
from scrapy.utils.misc import load_object

from audiocrawler.fetch.component import Component
from audiocrawler.fetch.headers import explain
from audiocrawler.fetch.requests import is_host_file, is_media
from audiocrawler.fetch.slots import LONGEST_WAIT_S, host_of, is_media_slot, is_page_slot, polite, slot_of, slots_of
from audiocrawler.model.errors import OutcomeError

transfers_given_up = object()
"""Signal: abort all running transfers. No arguments."""
host_paused = object()
"""Signal: a host is paused. Arguments: ``host`` and ``pause_s``, in seconds from now."""


FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
"""Each further refusal doubles the pause, up to this limit."""
NEW_HOST_REFUSALS = 6
"""Consecutive refusals before giving up a host that has never served anything: 31 s of pauses."""
SERVING_HOST_REFUSALS = 7
"""The same for one that has served: 63 s ..."""
SILENT_HOST_REFUSALS = 10
"""... and for one that has served and no longer answers, for example while it restarts: 4 min."""
REFUSALS = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
) | frozenset(range(520, 525))
"""Statuses about the host rather than the URL; 520 to 524 are a CDN's for an unreachable origin."""


def growing_pause_s(times: int) -> float:
    """Return the pause in seconds after so many failures: 1, 2, 4 ..."""
    return min(FIRST_PAUSE_S * 2.0 ** min(max(times, 1) - 1, 30), LONGEST_PAUSE_S)


@dataclass(slots=True)
class Health:
    """The refusals of one host's pages, or of its files. Times are seconds of the monotonic clock.

    A series of refusals ends with the first answer to a request sent after it started. Requests sent before the last
    pause belong to the refusal that caused it. Once the host has served anything, only first tries count as refusals:
    the last few files may all be broken.
    """

    has_served: bool = False
    refusals: int = 0
    """In this series, one pause each."""
    pause_s: float = 0.0
    """The last pause of the series; 0 if there is none."""
    _began_at: float = 0.0
    _paused_at: float = -1.0
    _refused: set[bytes] = field(default_factory=set)
    """Fingerprints of the series' requests."""

    def serve(self, sent_at: float) -> bool:
        """Record an answer; return whether it ends a series of refusals."""
        self.has_served = True
        if not self.pause_s or sent_at < self._began_at:
            return False
        self.refusals, self.pause_s = 0, 0.0
        self._refused.clear()
        return True

    def refuse(self, fingerprint: bytes, tries: int, sent_at: float, now: float) -> float:
        """Record that try number ``tries`` was refused; return the pause in seconds, 0 if it is already part of one."""
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
        """Return whether to give up the host; ``is_silent`` means that the last request got no answer."""
        if not self.has_served:
            return self.refusals >= NEW_HOST_REFUSALS
        return self.refusals >= (SILENT_HOST_REFUSALS if is_silent else SERVING_HOST_REFUSALS)


logger = logging.getLogger(__name__)

TURNED_AWAY = "audio/turned_away/"
"""Prefix of the stats of a host that was given up; followed by slot, space and reason. report.summary reads them."""
ASK_AGAIN_IN_S = "ask_again_in_s"
"""Meta key: seconds to wait before the request is scheduled again."""
MAX_NAMED_S = 10 * 365 * 24 * 3600.0
"""Upper bound for the value of a header."""
ROBOTS_PAUSE_S = 10.0
"""The longest pause before robots.txt is retried: the host's requests wait for it."""
SAME_PAUSE_S = 2.0
"""Pauses that end within this time of each other count as the same one."""
JITTER = 0.25
"""Random fraction added to the crawl's own pauses, so that workers refused together do not return together."""
FEW_RETRIES = 2
"""For failures that waiting rarely cures: an empty response, an unknown host ..."""
BROKEN_OFF_RETRIES = 3
"""... and an aborted transfer, which often fails at the same byte each time."""
_ASK_TO_WAIT = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class HostPausedError(OutcomeError, IgnoreRequest):
    """Raised for requests to a host that was given up in this crawl; ``response`` is the answer that caused it."""

    response: Response | None = None


class NotReadyError(OutcomeError, IgnoreRequest):
    """Raised when the last retry still brought no body; ``response`` is that answer."""

    def __init__(self, reason: str, response: Response) -> None:
        super().__init__(reason)
        self.response = response


@dataclass(frozen=True, slots=True)
class PassingFailure:
    """A failure that may pass."""

    reason: str
    is_refusal: bool
    """Whether it is about the host rather than the URL."""
    wanted_s: float = 0.0
    """The pause in seconds that the server asked for; 0 for none."""
    most_retries: int | None = None
    is_silent: bool = False
    """Whether there was no answer at all."""


class BackOffMiddleware(Component):
    """Retry with growing pauses, following Scrapy's RETRY_* settings; replaces Scrapy's RetryMiddleware.

    A refusal pauses the host for 1, 2, 4 ... s, or longer if Retry-After (RFC 9110, section 10.2.3) says so; its
    requests stay queued, and are then sent one by one until one is answered. After too many refusals in a row the
    host's pages, or its files, are given up. A failure of one URL delays only that URL. The signal ``host_paused``
    announces each pause to other workers.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings, is_on = crawler.settings, crawler.settings.getbool("RETRY_ENABLED")
        self._codes = frozenset(map(int, settings.getlist("RETRY_HTTP_CODES"))) if is_on else frozenset()
        self._errors = tuple(map(load_object, settings.getlist("RETRY_EXCEPTIONS"))) if is_on else ()
        self._retry_times = settings.getint("RETRY_TIMES")
        self._given_up: dict[str, tuple[float, str]] = {}
        """By slot: until when it is given up, and why."""
        self._health: dict[str, Health] = {}
        self._answered: WeakSet[Request] = WeakSet()
        """Requests whose response headers have arrived."""
        crawler.signals.connect(self._note_headers, signal=signals.headers_received)
        crawler.signals.connect(self._note_answer, signal=signals.response_downloaded)

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise HostPausedError with the reason."""
        slot = slot_of(request)
        until, reason = self._given_up.get(slot, (0.0, ""))
        if time.monotonic() < until:
            self._count_turned_away(slot, reason)
            raise HostPausedError(reason)

    def process_response(self, request: Request, response: Response) -> Response | Request:
        """Return the response, or the request to retry; raises HostPausedError, NotReadyError."""
        failure = self._failure_of(request, response)
        if failure is None:
            return response
        if failure.is_refusal and failure.wanted_s > 0:
            logger.info("%s: Retry-After %d s", host_of(slot_of(request)), failure.wanted_s)
        try:
            again = self._again(request, failure)
        except HostPausedError as error:
            error.response = response
            raise
        if again is None and response.status < HTTPStatus.MULTIPLE_CHOICES and is_media(request):
            raise NotReadyError(failure.reason, response)
        return again or response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Return the request to retry, or None; raises HostPausedError."""
        reason = explain(exception)
        if not isinstance(exception, self._errors) or "certificate" in reason:
            return None
        is_silent = request not in self._answered
        most = None if is_silent else BROKEN_OFF_RETRIES
        if isinstance(exception, CannotResolveHostError):
            most = FEW_RETRIES
        return self._again(
            request, PassingFailure(reason, is_refusal=is_silent, is_silent=is_silent, most_retries=most)
        )

    def pause(self, host: str, pause_s: float) -> None:
        """Pause the host for so many seconds, or give it up if that exceeds LONGEST_WAIT_S."""
        if pause_s > LONGEST_WAIT_S:
            self._give_up_until(host, pause_s)
        else:
            polite(self._crawler).pause(host, pause_s)

    def give_up(self, slot: str, reason: str) -> None:
        """Give up a slot for the rest of this run."""
        if time.monotonic() < self._given_up.get(slot, (0.0, ""))[0]:
            return
        logger.warning("%s; retry its %s in a later crawl", reason, "files" if is_media_slot(slot) else "pages")
        self._give_up(slot, float("inf"), reason)

    def _failure_of(self, request: Request, response: Response) -> PassingFailure | None:
        status = response.status
        wanted_s = seconds_of((response.headers.get("Retry-After") or b"").decode("latin-1"))
        reason = f"HTTP {status}"
        if self._is_refusal(slot_of(request), status):
            most = None if status in self._codes else 0
            return PassingFailure(reason, True, wanted_s if status in _ASK_TO_WAIT else 0.0, most)
        if status in self._codes:
            return PassingFailure(reason, is_refusal=False, wanted_s=wanted_s)
        if not self._errors or is_host_file(request) or request.method != "GET":
            return None
        if status == HTTPStatus.ACCEPTED and (is_media(request) or wanted_s or not response.body):
            return PassingFailure(f"{reason}: the file is not ready yet", is_refusal=False, wanted_s=wanted_s)
        if status == HTTPStatus.OK and _is_empty(response):
            return PassingFailure("empty response", is_refusal=False, most_retries=FEW_RETRIES)
        return None

    def _is_refusal(self, slot: str, status: int) -> bool:
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:  # if the host serves other URLs, it is about this URL
            return status in self._codes and not self._health_of(slot).has_served
        return status in REFUSALS

    def _again(self, request: Request, failure: PassingFailure) -> Request | None:
        slot, tries = slot_of(request), request.meta.get("retry_times", 0) + 1
        own_s = growing_pause_s(tries)
        if not is_page_slot(slot) and not is_media_slot(slot):
            self._share_pause(host_of(slot), max(failure.wanted_s, own_s))
            if failure.wanted_s > ROBOTS_PAUSE_S:
                return None
            own_s = 0.0
        elif failure.is_refusal:
            self._pause_or_give_up(request, slot, tries, failure)
            self.process_request(request)
            own_s = 0.0
        if request.meta.get("dont_retry") or failure.wanted_s > LONGEST_WAIT_S:
            return None
        again = self._copy(request, failure)
        if again is not None and own_s:
            again.meta[ASK_AGAIN_IN_S] = max(failure.wanted_s, own_s * _jitter())
        return again

    def _copy(self, request: Request, failure: PassingFailure) -> Request | None:
        assert self._crawler.spider is not None
        most = request.meta.get("max_retry_times", self._retry_times)
        if failure.most_retries is not None:
            most = min(most, failure.most_retries)
        return get_retry_request(
            request,
            spider=self._crawler.spider,
            reason=failure.reason,
            max_retry_times=most,
            priority_adjust=request.meta.get("priority_adjust"),
        )

    def _pause_or_give_up(self, request: Request, slot: str, tries: int, failure: PassingFailure) -> None:
        """Pause the host, or give it up."""
        host, health = host_of(slot), self._health_of(slot)
        fingerprint = self._crawler.request_fingerprinter.fingerprint(request)
        now = time.monotonic()
        sent_at = polite(self._crawler).sent_at.get(request, now)
        pause_s = health.refuse(fingerprint, tries, sent_at, now)
        if health.is_hopeless(is_silent=failure.is_silent):
            times = f"{health.refusals} times in a row"
            self.give_up(slot, f"gave up on {host}: {failure.reason}, {times}")
            return
        polite(self._crawler).probe_every(host, self._probe_s(host))
        if pause_s or failure.wanted_s:
            self._share_pause(host, max(failure.wanted_s, pause_s * _jitter()))

    def _share_pause(self, host: str, pause_s: float) -> None:
        logger.debug("%s: paused for %.1f s", host, pause_s)
        self.pause(host, pause_s)
        self._crawler.signals.send_catch_log(host_paused, host=host, pause_s=pause_s)

    def _give_up_until(self, host: str, pause_s: float) -> None:
        """Give up the host until the pause ends."""
        until_s = time.monotonic() + pause_s
        *_, for_robots = slots_of(host)
        if until_s < self._given_up.get(for_robots, (0.0, ""))[0] + SAME_PAUSE_S:
            return
        if for_robots not in self._given_up:
            logger.warning("gave up on %s: Retry-After %d s; run the crawl again later", host, pause_s)
        reason = f"gave up on {host}: Retry-After {pause_s:.0f} s is above the limit of {LONGEST_WAIT_S:.0f} s"
        for slot in slots_of(host):
            self._give_up(slot, until_s, reason)

    def _give_up(self, slot: str, until_s: float, reason: str) -> None:
        self._given_up[slot] = until_s, reason
        self._health.pop(slot, None)
        polite(self._crawler).probe_every(host_of(slot), self._probe_s(host_of(slot)))
        refused = polite(self._crawler).fail_queued(slot, HostPausedError(reason))
        self._count_turned_away(slot, reason, refused)

    def _count_turned_away(self, slot: str, reason: str, requests: int = 1) -> None:
        if requests and (is_page_slot(slot) or is_media_slot(slot)):
            self._crawler.stats.inc_value(f"{TURNED_AWAY}{slot} {reason}", requests)

    def _probe_s(self, host: str) -> float:
        return max((self._health[slot].pause_s for slot in slots_of(host) if slot in self._health), default=0.0)

    def _health_of(self, slot: str) -> Health:
        return self._health.setdefault(slot, Health())

    def _note_headers(self, request: Request) -> None:
        self._answered.add(request)

    def _note_answer(self, response: Response, request: Request) -> None:
        """Record that the host answered, be it with a redirect or an error status."""
        slot = slot_of(request)
        is_file_of_host = not is_page_slot(slot) and not is_media_slot(slot)
        if is_file_of_host or self._is_refusal(slot, response.status):
            return
        sent_at = polite(self._crawler).sent_at.get(request, 0.0)
        if self._health_of(slot).serve(sent_at):
            polite(self._crawler).probe_every(host_of(slot), self._probe_s(host_of(slot)))


def seconds_of(retry_after: str) -> float:
    """Return the seconds of a Retry-After value, a number or an HTTP date; 0 if invalid or absent."""
    value = retry_after.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:20]), MAX_NAMED_S)
    try:
        named = parsedate_to_datetime(value)
        return min(max(0.0, named.replace(tzinfo=named.tzinfo or UTC).timestamp() - time.time()), MAX_NAMED_S)
    except (ValueError, OverflowError):
        return 0.0


def _is_empty(response: Any) -> bool:
    leads_on = "download_stopped" in response.flags or "Refresh" in response.headers
    return not response.body and not leads_on and getattr(response, "body_file", None) is None


def _jitter() -> float:
    return 1 + random.uniform(0, JITTER)
