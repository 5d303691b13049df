"""AutoThrottle adapts the delay between pages, never below what was asked for, and leaves media alone."""

from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request, Spider, signals
from scrapy.core.downloader import Slot
from scrapy.http import Response
from scrapy.settings import Settings
from scrapy.signalmanager import SignalManager

from audiocrawler.fetch.requests import KIND, RequestKind
from audiocrawler.fetch.slots import FlooredAutoThrottle

SETTINGS = {"AUTOTHROTTLE_ENABLED": True, "AUTOTHROTTLE_TARGET_CONCURRENCY": 2.0, "DOWNLOAD_DELAY": 0.5}


@pytest.fixture
def crawler() -> Any:
    delays_s = {"example.org": 3.0, "media:example.org": 0.0, "robots:example.org": 0.0}
    downloader = SimpleNamespace(
        slots={name: Slot(4, delay_s, 0.0) for name, delay_s in {**delays_s, "quick.example": 3.0}.items()},
        per_slot_settings={name: {"delay": delay_s} for name, delay_s in delays_s.items()},
    )
    engine, spider = SimpleNamespace(downloader=downloader), Spider("s")
    made = SimpleNamespace(settings=Settings(SETTINGS), signals=SignalManager(), engine=engine, spider=spider)
    made.throttle = FlooredAutoThrottle(made)  # type: ignore[arg-type]
    made.signals.send_catch_log(signals.spider_opened, spider=spider)
    return made


def delay_after_s(crawler: Any, url: str, meta: dict[str, Any], latency_s: float) -> float:
    """Return the delay of the slot once an answer has come so quickly."""
    request = Request(url, meta=meta)
    crawler.signals.send_catch_log(signals.request_reached_downloader, request=request, spider=crawler.spider)
    request.meta["download_latency"] = latency_s
    told = {"response": Response(url), "request": request, "spider": crawler.spider}
    crawler.signals.send_catch_log(signals.response_downloaded, **told)
    return float(crawler.engine.downloader.slots[meta["download_slot"]].delay)


def test_a_quick_host_is_asked_more_often(crawler) -> None:
    assert delay_after_s(crawler, "http://quick.example/", {"download_slot": "quick.example"}, 0.1) == 1.525


def test_a_crawl_delay_is_kept_however_quick_the_host_is(crawler) -> None:
    assert delay_after_s(crawler, "http://example.org/", {"download_slot": "example.org"}, 0.1) == 3.0
    assert delay_after_s(crawler, "http://example.org/", {"download_slot": "example.org"}, 20.0) == 10.0


@pytest.mark.parametrize(
    ("kind", "slot"), [(RequestKind.FILE, "media:example.org"), (RequestKind.HOST_FILE, "robots:example.org")]
)
def test_media_and_robots_txt_get_no_delay_of_their_own(crawler, kind, slot) -> None:
    assert delay_after_s(crawler, "http://example.org/x", {"download_slot": slot, KIND: kind.value}, 20.0) == 0.0
