"""A URI in; an open frontier out. What every frontier gives, and what travels between it and a worker."""

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
"""A request that was under way at so many ends of its worker in a row waits for all others, and then runs alone."""
MAX_DELIVERIES = 5
"""At so many it is taken to be their cause, and set aside."""


class RequestClass(StrEnum):
    """What a request brings: the two kinds wait for different things."""

    PAGE = "page"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Start:
    """Which crawl is meant: the same identity means the same crawl, until it is finished or ``fresh`` is asked for."""

    identity: str
    crawl_id: str
    """Of the crawl if it is a new one."""
    fresh: bool = False
    lease_s: float = 60.0
    """How long a worker that says nothing keeps its requests, where there are several workers."""


@dataclass(frozen=True, slots=True)
class OpenCrawl:
    """The crawl that a frontier was opened for; ``waiting`` requests are left of an earlier run if it is resumed.

    ``others`` workers are at it already; then it is joined rather than resumed.
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
    """No more files are leased at a time than would bring a counter to ``most``; once it is there, all of them are."""

    counter: str
    most: int


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request to keep; without ``fingerprint`` it may come any number of times."""

    fingerprint: bytes | None
    kind: RequestClass
    slot: str
    priority: int
    body: str


@dataclass(frozen=True, slots=True)
class Leased:
    """A leased request; ``delivery_count`` is how many processes ended while it was under way."""

    id: int
    kind: RequestClass
    slot: str
    priority: int
    body: str
    delivery_count: int

    @property
    def is_suspect(self) -> bool:
        """Whether it may be what ended those processes."""
        return self.delivery_count >= SUSPECT_DELIVERIES


@dataclass(slots=True)
class SyncRequest:
    """What a worker reports and asks for; all of it is applied, or nothing.

    ``done`` are acknowledged, ``released`` may be leased by anybody, ``started`` are under way, ``held`` stay leased,
    and ``transferred`` no longer count against their host. ``pauses_s``: pauses that hosts asked for, from now.
    ``wanted`` requests of each class are leased, at most ``per_slot`` of a slot including ``prefetched``, and over all
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
    """What the frontier says: which of ``new`` were known already, what is leased now, and how much is left.

    ``pauses_s`` are those of hosts that have come up since it was last asked, in seconds from now.
    """

    known: list[int] = field(default_factory=list)
    leased: list[Leased] = field(default_factory=list)
    waiting: dict[RequestClass, int] = field(default_factory=dict)
    leased_elsewhere: int = 0
    counted: dict[str, int] = field(default_factory=dict)
    pauses_s: dict[str, float] = field(default_factory=dict)


class Frontier(Protocol):
    """The requests of one crawl. One thread at a time may use it."""

    crawl: OpenCrawl
    poll_s: float | None
    """How often it must be asked even where there is nothing to tell; None for never."""
    is_shared: bool
    """Whether workers on other machines may have the same crawl."""

    def exchange(self, told: SyncRequest) -> SyncResponse:
        """Take what a worker tells and answer it. Raises FrontierError, FrontierAwayError if trying again may help."""
        ...

    def turn(self, name: str, delay_s: float) -> float:
        """Return in how many seconds it is this worker's turn at ``name``; the next one's is ``delay_s`` later.

        One that is not shared always answers 0. It may be called from any thread. Raises FrontierError.
        """
        ...

    def finish(self) -> None:
        """Forget the crawl if all its requests are done: then the next one of this identity starts anew."""
        ...

    def close(self) -> None:
        """Release the file or the connection."""
        ...


def open_frontier(uri: str, start: Start) -> Frontier:
    """Return the frontier at ``uri`` (``sqlite:data/frontier.db``, ``memory``), opened for a crawl.

    Raises ConfigurationError where it cannot be used, LockedError where another process has this crawl.
    """
    return cast(Frontier, load_registered(uri if ":" in uri else f"{uri}:", FRONTIERS, "AUDIO_FRONTIER")(uri, start))
