"""The frontier on a Redis server, shared by any number of workers."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import redis

from audiocrawler.frontier.frontier import (
    SUSPECT_DELIVERIES,
    Leased,
    OpenCrawl,
    RequestClass,
    Start,
    SyncRequest,
    SyncResponse,
)
from audiocrawler.model.errors import ConfigurationError, FrontierAwayError, FrontierError
from audiocrawler.model.text import mask_url


def _script(*names: str) -> str:
    folder = files(__package__) / "lua"
    return "".join((folder / f"{name}.lua").read_text("utf-8") for name in names)


OPEN = _script("names", "open")
EXCHANGE = _script("exchange")
FINISH = _script("names", "finish")
TURN = _script("turn")

TIMEOUT_S = 10.0
POLL_S = 1.0
"""Polling interval of an idle worker."""
HEARD_OF_S = 5.0
"""A worker heard from within this time counts as active."""
PAUSES = "audiocrawler:pauses"
_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError, redis.exceptions.ReadOnlyError)


class RedisFrontier:
    """One worker's access to a crawl in Redis; raises ConfigurationError if the server cannot be used.

    A lease expires ``start.lease_s`` seconds after its worker was last heard from; then any worker may lease it.
    """

    poll_s: float | None = POLL_S
    is_shared = True

    def __init__(self, uri: str, start: Start) -> None:
        self._name = mask_url(uri)
        self._worker = secrets.token_hex(8)
        self._lease_s = start.lease_s
        self._renewed_at = time.monotonic()
        self._pauses_seen = 0
        self._key = f"audiocrawler:{{{start.identity}}}"
        try:
            self._redis = redis.Redis.from_url(
                uri, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, protocol=2, decode_responses=True
            )
            self._exchange, self._finish, self._turn = map(self._redis.register_script, (EXCHANGE, FINISH, TURN))
            self.crawl = self._open(start)
        except (redis.RedisError, ValueError) as error:
            raise ConfigurationError(f"{self._name}: {error}; check AUDIO_FRONTIER and the server") from error

    def exchange(self, report: SyncRequest) -> SyncResponse:
        """Apply the report atomically; see Frontier.exchange."""
        asked_at = time.monotonic()
        is_renewal = asked_at - self._renewed_at >= self._lease_s / 4
        message = self._message(report, report.held if is_renewal else [])
        keys = [self._key, PAUSES, f"{PAUSES}:changes"]
        answered = self._ask(lambda: self._exchange(keys=keys, args=[message]))
        self._renewed_at = asked_at if is_renewal else self._renewed_at
        known, leased, pages, files, all_leases, counted, self._pauses_seen, paused = answered
        mine = len(report.held) + len(leased)
        return SyncResponse(
            known=known,
            leased=[Leased(number, RequestClass(kind), *rest) for number, kind, *rest in leased],
            waiting={RequestClass.PAGE: pages, RequestClass.FILE: files},
            leased_elsewhere=max(0, all_leases - mine),
            counted={name: int(value) for name, value in _pairs(counted)},
            pauses_s={host: float(pause_s) for host, pause_s in _pairs(paused)},
        )

    def turn(self, name: str, delay_s: float) -> float:
        """Reserve the next turn at ``name``; see Frontier.turn."""
        return float(self._ask(lambda: self._turn(keys=[f"audiocrawler:turn:{name}"], args=[delay_s])))

    def finish(self) -> None:
        """Delete the crawl unless it has requests again; see Frontier.finish."""
        self._ask(lambda: self._finish(keys=[self._key], args=[self.crawl.generation]))

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _open(self, start: Start) -> OpenCrawl:
        script = self._redis.register_script(OPEN)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        about = [start.crawl_id, now, str(int(start.fresh)), self._worker, str(HEARD_OF_S)]
        opened = script(keys=[self._key], args=about)
        generation, crawl_id, started_at, is_resumed, waiting, counted, others = opened
        return OpenCrawl(
            crawl_id=crawl_id,
            generation=generation,
            started_at=datetime.fromisoformat(started_at),
            is_resumed=bool(is_resumed),
            waiting=waiting,
            counted={name: int(value) for name, value in _pairs(counted)},
            others=others,
        )

    def _message(self, report: SyncRequest, held: list[int]) -> str:
        return json.dumps(
            {
                "worker": self._worker,
                "generation": self.crawl.generation,
                "lease_s": self._lease_s,
                "suspect_deliveries": SUSPECT_DELIVERIES,
                "new": [
                    [new.fingerprint.hex() if new.fingerprint else "", new.kind, new.slot, new.priority, new.body]
                    for new in report.new
                ],
                "started": report.started,
                "transferred": report.transferred,
                "done": report.done,
                "released": report.released,
                "held": held,
                "counted": report.counted,
                "wanted": report.wanted,
                "prefetched": report.prefetched,
                "per_slot": report.per_slot,
                "files_per_slot": report.files_per_slot,
                "limit": {"counter": report.limit.counter, "most": report.limit.most} if report.limit else False,
                "pauses_s": report.pauses_s,
                "pauses_seen": self._pauses_seen,
                "leaves": report.leaves,
            }
        )

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except _AWAY as error:
            raise FrontierAwayError(f"{self._name} does not answer ({error})") from error
        except redis.RedisError as error:
            raise FrontierError(f"{self._name}: {error}") from error


def _pairs(flat: list[str]) -> Iterator[tuple[str, str]]:
    return zip(flat[::2], flat[1::2], strict=True)
