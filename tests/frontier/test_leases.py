"""What a worker that ends has told the frontier, and what it says of it, however slowly the frontier answers."""

import asyncio
import threading
from typing import Any

import pytest

from audiocrawler.frontier import Leases, NewRequest, RequestClass, Start, SyncRequest, SyncResponse
from audiocrawler.frontier import leases as module
from audiocrawler.frontier.sqlite import MemoryFrontier
from audiocrawler.model.errors import FrontierAwayError, FrontierError
from tests.frontier.conftest import Opener


class Slow(MemoryFrontier):
    """Answers the first question when it is let to."""

    def __init__(self) -> None:
        super().__init__("memory", Start("a", "crawl"))
        self.is_asked, self.may_answer = threading.Event(), threading.Event()

    def exchange(self, told: SyncRequest) -> SyncResponse:
        answer = super().exchange(told)
        self.is_asked.set()
        assert self.may_answer.wait(10)
        return answer


class Away(MemoryFrontier):
    """Is shared, and never answers."""

    is_shared = True

    def exchange(self, told: SyncRequest) -> SyncResponse:
        raise FrontierAwayError("no answer")


class Hungry:
    """A worker that takes whatever there is."""

    def __init__(self) -> None:
        self.errors: list[FrontierError] = []

    def demand(self) -> dict[RequestClass, int]:
        return {RequestClass.PAGE: 9}

    def counter_deltas(self) -> dict[str, int]:
        return {}

    def take_answer(self, answer: SyncResponse, known: list[Any]) -> None:
        pass

    def give_up(self, error: FrontierError) -> None:
        self.errors.append(error)


def test_what_is_leased_while_the_worker_ends_is_released_before_the_rest_is_counted() -> None:
    async def left() -> int:
        leases = Leases(frontier, 8, 4)
        for name in "abcd":
            leases.put(NewRequest(None, RequestClass.PAGE, "host", 0, name), None)
        leases.start(Hungry())
        await asyncio.to_thread(frontier.is_asked.wait, 10)
        leases.stop_leasing()
        frontier.may_answer.set()
        counted = await leases.count_waiting()
        await leases.close(finish=True)
        return counted

    frontier = Slow()
    assert asyncio.run(left()) == 4
    assert len(frontier.exchange(SyncRequest(wanted={RequestClass.PAGE: 9}, per_slot=9)).leased) == 4


def test_a_frontier_that_is_away_at_the_end_is_no_proof_that_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def end() -> int:
        leases = Leases(Away("memory", Start("a", "crawl")), 8, 4)
        leases.start(worker)
        leases.stop_leasing()
        counted = await leases.count_waiting()
        assert "requests may be pending" in str(worker.errors[0])
        await leases.close(finish=True)
        return counted

    monkeypatch.setattr(module, "PATIENCE_AT_END_S", 0.1)
    monkeypatch.setattr(module, "RETRY_S", 0.05)
    worker = Hungry()
    assert asyncio.run(end()) == 0


@pytest.mark.parametrize("uri", ["redis"], indirect=True)
def test_what_another_worker_has_is_left_when_this_one_ends(opened: Opener) -> None:
    async def end() -> int:
        leases = Leases(opened(), 8, 4)
        leases.start(Hungry())
        leases.stop_leasing()
        counted = await leases.count_waiting()
        await leases.close(finish=True)
        return counted

    other = opened()
    other.exchange(
        SyncRequest(new=[NewRequest(None, RequestClass.PAGE, "host", 0, "a")], wanted={RequestClass.PAGE: 1})
    )
    assert asyncio.run(end()) == 1
    assert opened().crawl.is_resumed
