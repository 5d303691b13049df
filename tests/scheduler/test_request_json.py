"""Requests survive the way through JSON, and nothing but a callback can be named in it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from scrapy import Request, Spider

from audiocrawler.crawl.lifecycle import DELIVERIES, LEASE
from audiocrawler.discovery.hls import Part
from audiocrawler.fetch.requests import KIND, Place, RequestKind, kind_of
from audiocrawler.model.rows import AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.scheduler.request_json import from_json, to_json
from audiocrawler.spiders.audio import AudioSpider


@pytest.fixture
def spider() -> AudioSpider:
    return AudioSpider(url="https://example.org/")


def source(name: str) -> AudioSource:
    now = datetime.now(UTC)
    return AudioSource(
        source_url=f"https://example.org/{name}", status=Status.PENDING, title="Möwe \ud83d", first_seen_at=now
    )


def test_a_request_for_audio_comes_back_whole(spider: AudioSpider) -> None:
    meta = {
        KIND: "part",
        "audio": source("a.mp3"),
        "alternates": [("https://example.org/b.mp3", source("b.mp3"))],
        "parts": [Part("https://example.org/1.ts", 10, 20), Part("https://example.org/2.ts")],
        "part": 0,
        "redirect_urls": ["https://example.org/"],
        "download_timeout": 60.0,
        "allow_offsite": True,
    }
    request = Request(
        "https://example.org/a.mp3?Signature=secret",
        spider.parse_audio,
        errback=spider.audio_failed,
        headers={"Authorization": b"Basic \xff", "Range": "bytes=0-1"},
        meta=meta | {LEASE: 7, DELIVERIES: 2},
        priority=10,
        dont_filter=True,
        cookies={"consent": "yes"},
    )
    again = from_json(to_json(request, spider), spider)
    assert again.meta == meta
    for name in ("url", "headers", "priority", "dont_filter", "cookies", "callback", "errback", "body", "method"):
        assert getattr(again, name) == getattr(request, name), name
    assert type(again.meta["alternates"][0]) is tuple


@pytest.mark.parametrize("name", ["crawl", "settle", "__init__", "_take", "no_such", "closed"])
def test_only_callbacks_can_be_named(name: str, spider: AudioSpider) -> None:
    text = to_json(Request("https://example.org/", spider.parse), spider)
    with pytest.raises(ValueError, match="not among the spider's callbacks"):
        from_json(text.replace('"parse"', json.dumps(name)), spider)


@pytest.mark.parametrize(
    "text",
    ["{}", "[]", "nonsense", '{"url": "https://a.org/", "meta": {"x": {"~": "Spider", "value": {}}}}', '{"url": 1}'],
)
def test_damaged_text_is_refused(text: str, spider: AudioSpider) -> None:
    with pytest.raises(ValueError):
        from_json(text, spider)


def test_what_json_cannot_hold_is_refused_and_named(spider: AudioSpider) -> None:
    with pytest.raises(ValueError, match="type object"):
        to_json(Request("https://example.org/", spider.parse, meta={"x": object()}), spider)
    with pytest.raises(ValueError, match="not among"):
        to_json(Request("https://example.org/", print), spider)


def test_another_spiders_own_methods_are_its_callbacks() -> None:
    class Mine(Spider):
        name = "mine"

        def parse_page(self, response: object) -> None: ...

        def _inner(self, response: object) -> None: ...

    spider = Mine()
    text = to_json(Request("https://example.org/", spider.parse_page), spider)
    assert from_json(text, spider).callback == spider.parse_page
    for name in ("_inner", "from_crawler", "close"):
        with pytest.raises(ValueError):
            from_json(text.replace("parse_page", name), spider)


@pytest.mark.parametrize(
    ("meta", "kind"),
    [
        ({"level": 0, "via": "a_href"}, RequestKind.PAGE),
        ({"audio": source("a.mp3")}, RequestKind.FILE),
        ({"audio": source("a.m3u8"), "part": 0}, RequestKind.PART),
        ({"render": {"why": "", "known": [], "pattern": "", "context": ""}}, RequestKind.RENDERED),
        ({"robots": 0}, RequestKind.HOST_FILE),
        ({"verified": source("a.mp3")}, RequestKind.CHECK),
    ],
)
def test_what_an_older_version_kept_is_read_as_what_it_is(
    meta: dict[str, Any], kind: RequestKind, spider: AudioSpider
) -> None:
    text = json.loads(to_json(Request("https://example.org/", spider.parse, meta=meta), spider))
    del text["meta"][KIND]
    assert kind_of(from_json(json.dumps(text), spider)) is kind


@pytest.mark.parametrize(("via", "is_certain"), [(None, True), ("hls", True), ("audio_src", True), ("iframe", False)])
def test_an_older_versions_playlists_stay_what_they_are(via: str | None, is_certain: bool, spider: AudioSpider) -> None:
    meta = {"site": "example.org", "level": 0, "nesting": 1} | ({} if via is None else {"via": via})
    text = json.loads(to_json(Request("https://example.org/a.m3u8", spider.parse, meta=meta), spider))
    del text["meta"][KIND]
    assert Place.of(from_json(json.dumps(text), spider).meta).is_certain_audio is is_certain


def test_another_spiders_meta_is_its_own(spider: AudioSpider) -> None:
    request = Request("https://example.org/", spider.parse, meta={"audio": "mine", "robots": 1, "part": 2})
    again = from_json(to_json(request, spider), spider)
    assert kind_of(request) is kind_of(again) is RequestKind.PAGE
