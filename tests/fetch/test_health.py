"""When a host is paused, for how long, and when it is left; the clock is the test's own."""

from itertools import count

import pytest

from audiocrawler.fetch.back_off import (
    LONGEST_PAUSE_S,
    NEW_HOST_REFUSALS,
    SERVING_HOST_REFUSALS,
    SILENT_HOST_REFUSALS,
    Health,
)

NAMES = count()


def refuse(health: Health, at_s: float, *, name: str = "", tries: int = 1) -> float:
    """Let a request that is sent at ``at_s`` be refused at once; a new one unless it has a name."""
    return health.refuse((name or str(next(NAMES))).encode(), tries, at_s, at_s)


def pauses_until_left(health: Health, *, is_silent: bool = False) -> list[float]:
    """Refuse new requests, each sent when the last pause is over."""
    at_s, pauses_s = 1000.0, []
    while not health.is_hopeless(is_silent=is_silent):
        pauses_s.append(refuse(health, at_s))
        at_s += pauses_s[-1] + 0.1
    return pauses_s[:-1]


def serving() -> Health:
    health = Health()
    health.serve(0.0)
    return health


def test_pauses_double_and_a_host_that_never_served_is_left_first() -> None:
    assert pauses_until_left(Health()) == [1, 2, 4, 8, 16]
    assert pauses_until_left(serving()) == [1, 2, 4, 8, 16, 32]
    assert pauses_until_left(serving(), is_silent=True) == [1, 2, 4, 8, 16, 32, *[LONGEST_PAUSE_S] * 3]
    assert NEW_HOST_REFUSALS < SERVING_HOST_REFUSALS < SILENT_HOST_REFUSALS


def test_what_was_sent_before_a_pause_calls_for_no_other_one() -> None:
    health = Health()
    assert health.refuse(b"a", 1, 10.0, 10.5) == 1
    assert [health.refuse(name, 1, 10.1, 10.6) for name in (b"b", b"c", b"d")] == [0, 0, 0]
    assert health.refusals == 1


def test_an_answer_ends_the_run() -> None:
    health = serving()
    refuse(health, 10)
    refuse(health, 12)
    assert health.serve(15.0)
    assert (health.refusals, health.pause_s) == (0, 0)
    assert refuse(health, 20) == 1


def test_an_answer_to_what_was_sent_before_the_run_does_not_end_it() -> None:
    health = Health()
    refuse(health, 10)
    assert not health.serve(9.0)
    assert refuse(health, 12) == 2


def test_every_second_request_refused_is_no_run() -> None:
    health = serving()
    for number in range(50):
        assert refuse(health, 10.0 * number + 1) == 1
        health.serve(10.0 * number + 5)
    assert not health.is_hopeless(is_silent=False)


@pytest.mark.parametrize("files", [1, 5, 100])
def test_the_last_bad_files_of_a_host_that_serves_do_not_make_it_left(files: int) -> None:
    health = serving()
    at_s = 1000.0
    asked_at_s: dict[int, list[float]] = {}
    for tries in range(2, 7):
        for number in range(files):
            asked_at_s.setdefault(number, []).append(at_s)
            at_s += refuse(health, at_s, name=str(number), tries=tries) + 0.1
            assert not health.is_hopeless(is_silent=False)
    assert at_s - 1000 <= max(32 * 3, files * 5 * 1.2 + 32)
    assert all(times[-1] - times[0] >= 15 for times in asked_at_s.values())
