"""What every frontier promises."""

import time
from pathlib import Path

import pytest

from audiocrawler.frontier import Frontier, Leased, Limit, NewRequest, RequestClass, SyncRequest, SyncResponse
from audiocrawler.model.errors import LockedError
from tests.frontier.conftest import Opener

outlasting = pytest.mark.parametrize("uri", ["sqlite", "redis"], indirect=True)
"""For what outlasts the process: a frontier in memory does not."""
shared = pytest.mark.parametrize("uri", ["redis"], indirect=True)


def page(name: str, slot: str = "host", priority: int = 0, *, again: bool = False) -> NewRequest:
    return NewRequest(None if again else name.encode().ljust(20, b"\0"), RequestClass.PAGE, slot, priority, name)


def files(count: int) -> list[NewRequest]:
    return [NewRequest(None, RequestClass.FILE, f"media:host{number}", 0, str(number)) for number in range(count)]


def put(frontier: Frontier, *new: NewRequest) -> SyncResponse:
    return frontier.exchange(SyncRequest(new=list(new)))


def lease(frontier: Frontier, pages: int = 1, per_slot: int = 100, **told: object) -> list[Leased]:
    answer = frontier.exchange(SyncRequest(wanted={RequestClass.PAGE: pages}, per_slot=per_slot, **told))  # type: ignore[arg-type]
    return answer.leased


def names(leased: list[Leased]) -> list[str]:
    return [each.body for each in leased]


def crash(frontier: Frontier, lease_s: float) -> None:
    """Let a worker end without a word."""
    frontier.close()
    if frontier.is_shared:
        time.sleep(lease_s + 0.2)


def test_requests_come_by_priority_and_then_in_the_order_in_which_they_were_put(opened: Opener) -> None:
    frontier = opened()
    put(frontier, page("b", priority=-1), page("c", priority=-1), page("a", priority=20), page("d", priority=-2))
    assert names(lease(frontier, 4)) == ["a", "b", "c", "d"]


def test_a_request_is_kept_once_unless_it_may_come_again(opened: Opener) -> None:
    frontier = opened()
    assert put(frontier, page("a"), page("b"), page("a")).known == [2]
    assert put(frontier, page("b"), page("a", again=True)).known == [0]
    assert sorted(names(lease(frontier, 9))) == ["a", "a", "b"]


def test_what_is_done_is_forgotten_and_stays_known(opened: Opener) -> None:
    frontier = opened()
    put(frontier, page("a"))
    (leased,) = lease(frontier)
    answer = frontier.exchange(SyncRequest(done=[leased.id], new=[page("a")], wanted={RequestClass.PAGE: 1}))
    assert answer.known == [0]
    assert answer.leased == []
    assert answer.waiting[RequestClass.PAGE] == answer.leased_elsewhere == 0


def test_what_is_released_comes_again_at_its_old_place(opened: Opener) -> None:
    frontier = opened()
    put(frontier, page("a"), page("b"))
    (leased,) = lease(frontier)
    frontier.exchange(SyncRequest(started=[leased.id], released=[leased.id]))
    first, second = lease(frontier, 2)
    assert (first.body, second.body) == ("a", "b")
    assert first.delivery_count == 0


@outlasting
def test_a_crash_leaves_what_was_leased_and_counts_what_was_started(opened: Opener) -> None:
    frontier = opened(lease_s=0.5)
    put(frontier, page("a"), page("b"), page("c"))
    started, done, _ = lease(frontier, 3)
    frontier.exchange(SyncRequest(started=[started.id, done.id], done=[done.id]))
    crash(frontier, 0.5)
    again = opened(lease_s=0.5)
    assert again.crawl.is_resumed
    assert again.crawl.crawl_id == frontier.crawl.crawl_id
    assert sorted((each.body, each.delivery_count) for each in lease(again, 9)) == [("a", 1), ("c", 0)]


@outlasting
def test_what_was_under_way_at_several_crashes_waits_for_all_others(opened: Opener) -> None:
    frontier = opened(lease_s=0.3)
    put(frontier, page("suspect", priority=9), page("other"))
    for _ in range(2):
        (leased,) = lease(frontier)
        frontier.exchange(SyncRequest(started=[leased.id]))
        crash(frontier, 0.3)
        frontier = opened(lease_s=0.3)
    assert [(each.body, each.is_suspect) for each in lease(frontier, 9)] == [("other", False), ("suspect", True)]


def test_no_slot_takes_what_is_wanted_of_all(opened: Opener) -> None:
    frontier = opened()
    put(frontier, *(page(f"{slot}{number}", slot) for slot in "abc" for number in range(50)))
    leased = lease(frontier, 6, per_slot=2)
    assert sorted(each.slot for each in leased) == ["a", "a", "b", "b", "c", "c"]
    held = {"a": 2, "b": 2}
    assert {each.slot for each in lease(frontier, 9, per_slot=2, prefetched=held)} == {"c"}


def test_slots_take_turns(opened: Opener) -> None:
    frontier = opened()
    put(frontier, *(page(f"{slot}{number}", slot) for slot in "abc" for number in range(5)))
    turns = [leased.slot for _ in range(6) for leased in lease(frontier, 1)]
    assert sorted(turns[:3]) == sorted(turns[3:]) == ["a", "b", "c"]


@outlasting
def test_counters_are_added_up_and_kept(opened: Opener) -> None:
    frontier = opened(lease_s=0.1)
    frontier.exchange(SyncRequest(new=[page("a")], counted={"audio/stored": 3, "audio/found": 5}))
    frontier.exchange(SyncRequest(counted={"audio/stored": 2, "audio/found": -1}))
    crash(frontier, 0.1)
    assert opened().crawl.counted == {"audio/stored": 5, "audio/found": 4}


def test_crawls_are_held_apart(opened: Opener) -> None:
    one, other = opened("one"), opened("other")
    put(one, page("a"))
    assert put(other, page("a"), page("b")).known == []
    assert names(lease(one, 9)) == ["a"]
    assert sorted(names(lease(other, 9))) == ["a", "b"]


def test_a_pause_that_a_host_asks_for_is_kept(opened: Opener) -> None:
    frontier = opened()
    pauses_s = frontier.exchange(SyncRequest(pauses_s={"host": 60.0, "other": 0.2})).pauses_s
    assert pauses_s["host"] == pytest.approx(60, abs=5)
    assert frontier.exchange(SyncRequest()).pauses_s == {}
    assert frontier.exchange(SyncRequest(pauses_s={"host": 5.0})).pauses_s["host"] > 50


@outlasting
def test_a_pause_outlasts_its_crawl_until_it_is_over(opened: Opener) -> None:
    one = opened("one")
    one.exchange(SyncRequest(pauses_s={"host": 60.0, "other": 0.2}))
    one.close()
    time.sleep(0.3)
    other = opened("other")
    pauses_s = other.exchange(SyncRequest()).pauses_s
    assert pauses_s == {"host": pytest.approx(60, abs=5)}
    put(other, page("a"))
    assert names(lease(other)) == ["a"]


@outlasting
def test_a_finished_crawl_starts_anew(opened: Opener) -> None:
    frontier = opened()
    put(frontier, page("a"))
    (leased,) = lease(frontier)
    frontier.exchange(SyncRequest(done=[leased.id], counted={"audio/stored": 1}))
    frontier.finish()
    frontier.close()
    again = opened()
    assert not again.crawl.is_resumed
    assert again.crawl.generation == 2
    assert again.crawl.counted == {}
    assert put(again, page("a")).known == []


@outlasting
@pytest.mark.parametrize("is_leased", [False, True])
def test_a_crawl_with_a_request_left_is_not_forgotten(opened: Opener, *, is_leased: bool) -> None:
    frontier = opened(lease_s=0.5)
    put(frontier, page("a"))
    lease(frontier, int(is_leased))
    frontier.finish()
    crash(frontier, 0.5)
    again = opened()
    assert again.crawl.is_resumed
    assert names(lease(again)) == ["a"]


@outlasting
def test_fresh_starts_over(opened: Opener) -> None:
    frontier = opened()
    put(frontier, page("a"), page("b"))
    lease(frontier)
    frontier.close()
    again = opened(fresh=True)
    assert not again.crawl.is_resumed
    assert again.crawl.waiting == 0
    assert put(again, page("a")).known == []
    assert names(lease(again, 9)) == ["a"]


@shared
def test_turns_are_a_delay_apart(opened: Opener) -> None:
    frontier = opened()
    waits = [frontier.turn("host", 2.0) for _ in range(3)]
    assert waits[0] == 0
    assert waits[1] == pytest.approx(2.0, abs=0.5)
    assert waits[2] == pytest.approx(4.0, abs=0.5)
    assert frontier.turn("other", 2.0) == 0


@pytest.mark.parametrize("uri", ["sqlite"], indirect=True)
def test_one_process_at_a_time_has_a_crawl_in_a_file(opened: Opener) -> None:
    opened("one")
    opened("other")
    with pytest.raises(LockedError, match="another crawl of the same start"):
        opened("one")


@pytest.mark.parametrize("uri", ["sqlite"], indirect=True)
def test_the_file_is_for_its_owner_only_and_forgets_urls(opened: Opener, uri: str) -> None:
    path = Path(uri.removeprefix("sqlite:"))
    frontier = opened()
    put(frontier, NewRequest(b"0" * 20, RequestClass.PAGE, "host", 0, "https://example.org/?Signature=hush-hush"))
    assert path.stat().st_mode & 0o777 == 0o600
    (leased,) = lease(frontier)
    frontier.exchange(SyncRequest(done=[leased.id]))
    frontier.close()
    assert b"hush-hush" not in path.read_bytes()


@shared
class TestSharedFrontier:
    def test_workers_share_requests_and_turns(self, opened: Opener) -> None:
        one, other = opened(), opened()
        assert other.crawl.crawl_id == one.crawl.crawl_id
        put(one, *(page(f"{number}") for number in range(10)))
        mine, theirs = lease(one, 5), lease(other, 9)
        assert sorted(names(mine) + names(theirs)) == [str(number) for number in range(10)]
        assert one.exchange(SyncRequest(held=[each.id for each in mine])).leased_elsewhere == 5
        assert one.turn("host", 2.0) == 0
        assert other.turn("host", 2.0) > 1

    def test_a_lease_is_kept_while_it_is_renewed_and_runs_out_otherwise(self, opened: Opener) -> None:
        one, other = opened(lease_s=1.0), opened(lease_s=1.0)
        put(one, page("a"), page("b"))
        kept, lost = lease(one, 2)
        for _ in range(5):
            time.sleep(0.3)
            one.exchange(SyncRequest(held=[kept.id]))
        assert names(lease(other, 9)) == [lost.body]

    def test_a_worker_cannot_acknowledge_what_was_taken_from_it(self, opened: Opener) -> None:
        one, other = opened(lease_s=0.2), opened(lease_s=60)
        put(one, page("a"))
        (lost,) = lease(one)
        time.sleep(0.4)
        (taken,) = lease(other)
        one.exchange(SyncRequest(done=[lost.id]))
        other.exchange(SyncRequest(released=[taken.id]))
        assert names(lease(other)) == ["a"]

    def test_no_host_serves_more_files_at_a_time_than_it_may_to_all_workers_together(self, opened: Opener) -> None:
        one, other = opened(), opened()
        files = [NewRequest(None, RequestClass.FILE, "media:host", 0, str(number)) for number in range(20)]
        one.exchange(SyncRequest(new=files))
        ask = {"wanted": {RequestClass.FILE: 9}, "per_slot": 8, "files_per_slot": 4}
        mine = one.exchange(SyncRequest(**ask)).leased  # type: ignore[arg-type]
        assert len(mine) == 4
        assert other.exchange(SyncRequest(**ask)).leased == []  # type: ignore[arg-type]
        one.exchange(SyncRequest(transferred=[mine[0].id], done=[mine[1].id]))
        assert len(other.exchange(SyncRequest(**ask)).leased) == 2  # type: ignore[arg-type]
        one.exchange(SyncRequest(done=[mine[0].id]))
        assert other.exchange(SyncRequest(**ask)).leased == []  # type: ignore[arg-type]

    def test_workers_of_a_crawl_that_was_started_over_get_nothing_more(self, opened: Opener) -> None:
        one = opened()
        put(one, page("a"))
        other = opened(fresh=True)
        put(other, page("b"))
        assert lease(one) == []
        assert names(lease(other, 9)) == ["b"]

    def test_a_worker_hears_of_the_pause_that_another_was_asked_for(self, opened: Opener) -> None:
        one, other = opened(), opened()
        other.exchange(SyncRequest())
        one.exchange(SyncRequest(pauses_s={"host": 30.0}))
        assert other.exchange(SyncRequest()).pauses_s == {"host": pytest.approx(30, abs=5)}
        assert other.exchange(SyncRequest()).pauses_s == {}

    def test_all_workers_together_take_no_more_files_than_the_limit(self, opened: Opener) -> None:
        one, other = opened(), opened()
        one.exchange(SyncRequest(new=files(20)))
        ask = {"wanted": {RequestClass.FILE: 4}, "per_slot": 8, "files_per_slot": 4, "limit": Limit("stored", 6)}
        first = one.exchange(SyncRequest(**ask)).leased  # type: ignore[arg-type]
        second = other.exchange(SyncRequest(**ask)).leased  # type: ignore[arg-type]
        assert (len(first), len(second)) == (4, 2)
        # One is stored, one is not, one is given back.
        told = {"done": [first[0].id, first[1].id], "released": [first[2].id], "counted": {"stored": 1}}
        one.exchange(SyncRequest(**told))  # type: ignore[arg-type]
        assert len(other.exchange(SyncRequest(**ask)).leased) == 2  # type: ignore[arg-type]
        assert one.exchange(SyncRequest(**ask)).leased == []  # type: ignore[arg-type]

    def test_files_beyond_the_limit_are_leased_once_it_is_reached(self, opened: Opener) -> None:
        one, other = opened(), opened()
        one.exchange(SyncRequest(new=files(8)))
        ask = {"wanted": {RequestClass.FILE: 9}, "per_slot": 8, "files_per_slot": 4, "limit": Limit("stored", 2)}
        taken = one.exchange(SyncRequest(**ask)).leased  # type: ignore[arg-type]
        one.exchange(SyncRequest(done=[each.id for each in taken], counted={"stored": 2}))
        assert len(other.exchange(SyncRequest(**ask)).leased) == 6  # type: ignore[arg-type]

    def test_a_worker_that_died_leaves_room_within_the_limit(self, opened: Opener) -> None:
        one, other = opened(lease_s=0.2), opened(lease_s=60)
        one.exchange(SyncRequest(new=files(3)))
        ask = {"wanted": {RequestClass.FILE: 9}, "per_slot": 8, "files_per_slot": 4, "limit": Limit("stored", 2)}
        assert len(one.exchange(SyncRequest(**ask)).leased) == 2  # type: ignore[arg-type]
        time.sleep(0.4)
        assert len(other.exchange(SyncRequest(**ask)).leased) == 2  # type: ignore[arg-type]

    def test_a_crawl_that_others_are_at_is_joined(self, opened: Opener) -> None:
        one = opened()
        put(one, page("a"))
        other = opened()
        assert (one.crawl.others, other.crawl.others) == (0, 1)
        other.exchange(SyncRequest(leaves=True))
        one.exchange(SyncRequest(leaves=True))
        assert opened().crawl.others == 0
