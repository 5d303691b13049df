"""Requests that go on with a lease: at once, or after a wait that holds up no other."""

import pytest
from scrapy import Request

from audiocrawler.scheduler.scheduler import ContinuedRequests


def test_requests_go_when_their_wait_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    kept = ContinuedRequests()
    late, soon, ready = (Request(f"http://a/{name}") for name in ("late", "soon", "ready"))
    kept.put(late, "a", 4.0)
    kept.put(soon, "b", 2.0)
    kept.put(ready, "a")
    assert kept.slots() == ["a"]
    assert kept.take("a") is ready
    assert kept.take("a") is None
    assert set(kept) == {late, soon}
    now_s = 102.5
    assert kept.slots() == ["b"]
    assert kept.take("b") is soon
    assert kept.remove_all() == [late]
    assert not kept
