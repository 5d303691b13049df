"""The interface of every frontier, how one is opened by its URI, and the messages between it and a worker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, cast

from audiocrawler.model.uris import load_registered

FRONTIERS = {
    "memory": "audiocrawler.frontier.sqlite.MemoryFrontier",
    "sqlite": "audiocrawler.frontier.sqlite.SqliteFrontier",
    "redis": "audiocrawler.frontier.redis.RedisFrontier",
    "rediss": "audiocrawler.frontier.redis.RedisFrontier",
}
"""Scheme -> dotted path of a class that takes the URI and a Start; imported only when used."""
SUSPECT_DELIVERIES = 2
"""A request with this delivery count is deferred until all others are done, and then runs alone."""
MAX_DELIVERIES = 5
"""A request with this delivery count becomes a dead letter."""


class RequestClass(StrEnum):
    """Whether a request fetches a page or a file; each class has its own limits."""

    PAGE = "page"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Start:
    """Which crawl to open: the same identity is the same crawl, until it is finished or ``fresh`` is set."""

    identity: str
    crawl_id: str
    """The id of a new crawl."""
    fresh: bool = False
    lease_s: float = 60.0
    """How long a silent worker keeps its leases, if there are several workers."""


@dataclass(frozen=True, slots=True)
class OpenCrawl:
    """The crawl that was opened; ``waiting`` requests are pending from an earlier run if it is resumed.

    If ``others`` workers are active it is joined rather than resumed.
    """

    crawl_id: str
    generation: int
    started_at: datetime
    is_resumed: bool
    waiting: int
    counted: Mapping[str, int]
    others: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """Lease no more files than would bring a counter to ``most``; once it is reached, lease all of them."""

    counter: str
    most: int


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request to store; without ``fingerprint`` duplicates are allowed."""

    fingerprint: bytes | None
    kind: RequestClass
    slot: str
    priority: int
    body: str


@dataclass(frozen=True, slots=True)
class Leased:
    """A leased request; ``delivery_count`` is how many processes ended while it was in progress."""

    id: int
    kind: RequestClass
    slot: str
    priority: int
    body: str
    delivery_count: int

    @property
    def is_suspect(self) -> bool:
        """Return whether it may have crashed those processes."""
        return self.delivery_count >= SUSPECT_DELIVERIES


@dataclass(slots=True)
class SyncRequest:
    """A worker's report and demand; applied completely or not at all.

    ``done`` are acknowledged, ``released`` may be leased by anybody, ``started`` are in progress, ``held`` stay leased,
    and ``transferred`` no longer count against their host. ``pauses_s``: pauses that hosts asked for, from now.
    ``wanted`` requests of each class are leased, at most ``per_slot`` of a slot including ``prefetched``, and across
    workers at most ``files_per_slot`` of a slot and what ``limit`` allows. A worker that ``leaves`` will not return.
    """

    new: list[NewRequest] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    transferred: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)
    wanted: dict[RequestClass, int] = field(default_factory=dict)
    prefetched: dict[str, int] = field(default_factory=dict)
    per_slot: int = 1
    files_per_slot: int = 1
    limit: Limit | None = None
    pauses_s: dict[str, float] = field(default_factory=dict)
    leaves: bool = False


@dataclass(slots=True)
class SyncResponse:
    """The frontier's answer: which of ``new`` were duplicates, what is leased now, and how much is pending.

    ``pauses_s`` are the hosts' pauses since the last exchange, in seconds from now.
    """

    known: list[int] = field(default_factory=list)
    leased: list[Leased] = field(default_factory=list)
    waiting: dict[RequestClass, int] = field(default_factory=dict)
    leased_elsewhere: int = 0
    counted: dict[str, int] = field(default_factory=dict)
    pauses_s: dict[str, float] = field(default_factory=dict)


class Frontier(Protocol):
    """The requests of one crawl. Use it from one thread at a time."""

    crawl: OpenCrawl
    poll_s: float | None
    """Polling interval when there is nothing to report; None for never."""
    is_shared: bool
    """Whether workers on other machines may share the crawl."""

    def exchange(self, report: SyncRequest) -> SyncResponse:
        """Apply a worker's report and answer it. Raises FrontierError, FrontierAwayError if a retry may help."""
        ...

    def turn(self, name: str, delay_s: float) -> float:
        """Reserve the next turn at ``name`` and return the seconds until then; the following one is ``delay_s`` later.

        Always 0 if the frontier is not shared. May be called from any thread. Raises FrontierError.
        """
        ...

    def finish(self) -> None:
        """Delete the crawl if all its requests are done, so that the next one of this identity is a new one."""
        ...

    def close(self) -> None:
        """Release the file or the connection."""
        ...


def open_frontier(uri: str, start: Start) -> Frontier:
    """Open a crawl in the frontier at ``uri`` (``sqlite:data/frontier.db``, ``memory``).

    Raises ConfigurationError if it cannot be used, LockedError if another process has opened this crawl.
    """
    return cast(Frontier, load_registered(uri if ":" in uri else f"{uri}:", FRONTIERS, "AUDIO_FRONTIER")(uri, start))
