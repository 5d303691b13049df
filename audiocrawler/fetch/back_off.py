"""Back-off: what fails for the moment is asked for again, ever more rarely; a host that goes on refusing is left."""

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
"""Sent when what is still under way shall end now; takes no arguments."""
host_paused = object()
"""Sent when a host has asked for a pause; takes ``host`` and ``pause_s``, the seconds from now."""


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


logger = logging.getLogger(__name__)

TURNED_AWAY = "audio/turned_away/"
"""What the stats of a host that was left begin with; slot, space and reason follow. report.summary reads them."""
ASK_AGAIN_IN_S = "ask_again_in_s"
"""Meta key: the seconds that a request waits before it is scheduled again."""
MAX_NAMED_S = 10 * 365 * 24 * 3600.0
"""What a header can ask for at most: longer numbers are no less absurd."""
ROBOTS_PAUSE_S = 10.0
"""The longest pause before another try for robots.txt: the requests that it decides on wait for that."""
SAME_PAUSE_S = 2.0
"""A pause that ends by so little later than the one that is known is taken for the same one."""
JITTER = 0.25
"""A pause of a crawl's own is longer by up to this part, so that crawlers that were refused together part ways."""
FEW_RETRIES = 2
"""For what is rarely mended by waiting: an empty answer, an unknown host ..."""
BROKEN_OFF_RETRIES = 3
"""... and a transfer that broke off, often at the same byte each time."""
_ASK_TO_WAIT = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class HostPausedError(OutcomeError, IgnoreRequest):
    """Raised for requests to a host that is left to a later crawl; ``response`` is the answer that made it so."""

    response: Response | None = None


class NotReadyError(OutcomeError, IgnoreRequest):
    """Raised where the last of several answers brought no body; ``response`` is that answer."""

    def __init__(self, reason: str, response: Response) -> None:
        super().__init__(reason)
        self.response = response


@dataclass(frozen=True, slots=True)
class Setback:
    """What kept a request from being answered for the moment."""

    reason: str
    is_refusal: bool
    """Whether it tells of the host rather than of the URL."""
    wanted_s: float = 0.0
    """The seconds that the server wants to be left alone for; 0 for none."""
    most_retries: int | None = None
    is_silent: bool = False
    """Whether there was no answer at all."""


class BackOffMiddleware(Component):
    """Asks again, as Scrapy's settings RETRY_* say, after pauses that grow; replaces Scrapy's RetryMiddleware.

    A refusal holds back all requests to its host: for 1, 2, 4 ... s, or longer if Retry-After (RFC 9110, section
    10.2.3) asks for that; meanwhile they wait in the queue, and then go one by one until one is answered. After a run
    of refusals the host's pages, or its files, are left. What tells of one URL only holds back that one. The signal
    ``host_paused`` tells of each pause, so that other workers keep it too.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings, is_on = crawler.settings, crawler.settings.getbool("RETRY_ENABLED")
        self._codes = frozenset(map(int, settings.getlist("RETRY_HTTP_CODES"))) if is_on else frozenset()
        self._errors = tuple(map(load_object, settings.getlist("RETRY_EXCEPTIONS"))) if is_on else ()
        self._retry_times = settings.getint("RETRY_TIMES")
        self._left: dict[str, tuple[float, str]] = {}
        """By slot: until when nothing is asked of it, and why."""
        self._health: dict[str, Health] = {}
        self._answered: WeakSet[Request] = WeakSet()
        """Requests for which headers have come."""
        crawler.signals.connect(self._note_headers, signal=signals.headers_received)
        crawler.signals.connect(self._note_answer, signal=signals.response_downloaded)

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise HostPausedError with the reason."""
        slot = slot_of(request)
        until, reason = self._left.get(slot, (0.0, ""))
        if time.monotonic() < until:
            self._count_turned_away(slot, reason)
            raise HostPausedError(reason)

    def process_response(self, request: Request, response: Response) -> Response | Request:
        """Return the answer, or the request to be sent again; raises HostPausedError, NotReadyError."""
        setback = self._setback_of(request, response)
        if setback is None:
            return response
        if setback.is_refusal and setback.wanted_s > 0:
            logger.info("%s asks for a pause of %d s", host_of(slot_of(request)), setback.wanted_s)
        try:
            again = self._again(request, setback)
        except HostPausedError as error:
            error.response = response
            raise
        if again is None and response.status < HTTPStatus.MULTIPLE_CHOICES and is_media(request):
            raise NotReadyError(setback.reason, response)
        return again or response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Return the request to be sent again, None if it is not; raises HostPausedError."""
        reason = explain(exception)
        if not isinstance(exception, self._errors) or "certificate" in reason:
            return None
        is_silent = request not in self._answered
        most = None if is_silent else BROKEN_OFF_RETRIES
        if isinstance(exception, CannotResolveHostError):
            most = FEW_RETRIES
        return self._again(request, Setback(reason, is_refusal=is_silent, is_silent=is_silent, most_retries=most))

    def pause(self, host: str, pause_s: float) -> None:
        """Send nothing to the host for so many seconds, and if they are very many, nothing more in this crawl."""
        if pause_s > LONGEST_WAIT_S:
            self._leave_for(host, pause_s)
        else:
            polite(self._crawler).pause(host, pause_s)

    def leave(self, slot: str, reason: str) -> None:
        """Ask nothing more of a slot in this run of the crawl."""
        if time.monotonic() < self._left.get(slot, (0.0, ""))[0]:
            return
        logger.warning("%s; its %s are left to a later crawl", reason, "files" if is_media_slot(slot) else "pages")
        self._leave(slot, float("inf"), reason)

    def _setback_of(self, request: Request, response: Response) -> Setback | None:
        status = response.status
        wanted_s = seconds_of((response.headers.get("Retry-After") or b"").decode("latin-1"))
        reason = f"HTTP {status}"
        if self._is_refusal(slot_of(request), status):
            most = None if status in self._codes else 0
            return Setback(reason, True, wanted_s if status in _ASK_TO_WAIT else 0.0, most)
        if status in self._codes:
            return Setback(reason, is_refusal=False, wanted_s=wanted_s)
        if not self._errors or is_host_file(request) or request.method != "GET":
            return None
        if status == HTTPStatus.ACCEPTED and (is_media(request) or wanted_s or not response.body):
            return Setback(f"{reason}: the server has not got it ready", is_refusal=False, wanted_s=wanted_s)
        if status == HTTPStatus.OK and _is_empty(response):
            return Setback("empty: the server sent no byte", is_refusal=False, most_retries=FEW_RETRIES)
        return None

    def _is_refusal(self, slot: str, status: int) -> bool:
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:  # of a host that serves others it tells of the URL
            return status in self._codes and not self._health_of(slot).has_served
        return status in REFUSALS

    def _again(self, request: Request, setback: Setback) -> Request | None:
        slot, tries = slot_of(request), request.meta.get("retry_times", 0) + 1
        own_s = growing_pause_s(tries)
        if not is_page_slot(slot) and not is_media_slot(slot):
            self._share_pause(host_of(slot), max(setback.wanted_s, own_s))
            if setback.wanted_s > ROBOTS_PAUSE_S:
                return None
            own_s = 0.0
        elif setback.is_refusal:
            self._hold_back(request, slot, tries, setback)
            self.process_request(request)
            own_s = 0.0
        if request.meta.get("dont_retry") or setback.wanted_s > LONGEST_WAIT_S:
            return None
        again = self._copy(request, setback)
        if again is not None and own_s:
            again.meta[ASK_AGAIN_IN_S] = max(setback.wanted_s, own_s * _jitter())
        return again

    def _copy(self, request: Request, setback: Setback) -> Request | None:
        assert self._crawler.spider is not None
        most = request.meta.get("max_retry_times", self._retry_times)
        if setback.most_retries is not None:
            most = min(most, setback.most_retries)
        return get_retry_request(
            request,
            spider=self._crawler.spider,
            reason=setback.reason,
            max_retry_times=most,
            priority_adjust=request.meta.get("priority_adjust"),
        )

    def _hold_back(self, request: Request, slot: str, tries: int, setback: Setback) -> None:
        """Pause the host, or leave it."""
        host, health = host_of(slot), self._health_of(slot)
        fingerprint = self._crawler.request_fingerprinter.fingerprint(request)
        now = time.monotonic()
        sent_at = polite(self._crawler).sent_at.get(request, now)
        pause_s = health.refuse(fingerprint, tries, sent_at, now)
        if health.is_hopeless(is_silent=setback.is_silent):
            times = f"{health.refusals} times in a row"
            self.leave(slot, f"{host} turned the crawl away: {setback.reason}, {times}")
            return
        polite(self._crawler).probe_every(host, self._probe_s(host))
        if pause_s or setback.wanted_s:
            self._share_pause(host, max(setback.wanted_s, pause_s * _jitter()))

    def _share_pause(self, host: str, pause_s: float) -> None:
        logger.debug("%s is left alone for %.1f s", host, pause_s)
        self.pause(host, pause_s)
        self._crawler.signals.send_catch_log(host_paused, host=host, pause_s=pause_s)

    def _leave_for(self, host: str, pause_s: float) -> None:
        """Send nothing more to the host in this crawl, unless the pause ends before it."""
        until_s = time.monotonic() + pause_s
        *_, for_robots = slots_of(host)
        if until_s < self._left.get(for_robots, (0.0, ""))[0] + SAME_PAUSE_S:
            return
        if for_robots not in self._left:
            logger.warning("%s asks for a pause of %d s: it is left to a later crawl", host, pause_s)
        reason = f"{host} asks for a pause of {pause_s:.0f} s, more than a crawl waits"
        for slot in slots_of(host):
            self._leave(slot, until_s, reason)

    def _leave(self, slot: str, until_s: float, reason: str) -> None:
        self._left[slot] = until_s, reason
        self._health.pop(slot, None)
        polite(self._crawler).probe_every(host_of(slot), self._probe_s(host_of(slot)))
        refused = polite(self._crawler).refuse_waiting(slot, HostPausedError(reason))
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
        """Note that the host has served a request, also by a redirect or an error of its own."""
        slot = slot_of(request)
        is_file_of_host = not is_page_slot(slot) and not is_media_slot(slot)
        if is_file_of_host or self._is_refusal(slot, response.status):
            return
        sent_at = polite(self._crawler).sent_at.get(request, 0.0)
        if self._health_of(slot).serve(sent_at):
            polite(self._crawler).probe_every(host_of(slot), self._probe_s(host_of(slot)))


def seconds_of(retry_after: str) -> float:
    """Return the seconds that a Retry-After value, a number or an HTTP date, asks for; 0 for none."""
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
