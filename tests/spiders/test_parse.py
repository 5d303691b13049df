"""What the spider makes of a document, and of the answers to what it has asked for, without a crawl."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from audiocrawler.crawl.items import FetchAgainError, RefusedError
from audiocrawler.fetch.first_bytes import FIRST_BYTES, FirstBytes
from audiocrawler.fetch.receivers import BodyFileResponse
from audiocrawler.fetch.requests import KIND, RequestKind, audio_row, kind_of
from audiocrawler.model.rows import AudioItem, AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.spiders.audio import AudioSpider
from audiocrawler.spiders.renewing import Renewal
from audiocrawler.spiders.retry import RetrySpider
from tests.one_crawl import URL, page, spider_in, yielded

AUDIO = "<a href='/{0}.mp3'>{0}</a>"


def asked(requests: list[Any]) -> list[str]:
    return [each.url.removeprefix(URL) for each in requests if isinstance(each, Request)]


def row(spider: AudioSpider, url: str) -> AudioSource:
    found = spider.crawl.warehouse.find_source(url)
    assert found is not None
    return found


def failure_of(request: Request, status: int) -> Failure:
    failure = Failure(HttpError(Response(request.url, status=status)))  # type: ignore[no-untyped-call]
    failure.request = request  # type: ignore[attr-defined]
    return failure


def file_request(spider: AudioSpider, name: str = "a.mp3") -> Request:
    return spider.downloads.request(URL + name, AudioSource(source_url=URL + name, status=Status.PENDING))


def answer(request: Request, body_file: Path | None = None, **about: Any) -> Response:
    if body_file is None:
        return Response(request.url, request=request, **about)
    return BodyFileResponse(request.url, request=request, body_file=str(body_file), **about)


def playlist(spider: AudioSpider, text: str, meta: dict[str, Any] | None = None) -> list[Any]:
    request = Request(f"{URL}list.m3u8", meta={"site": "example.org", "level": 0, "nesting": 0} | (meta or {}))
    headers = {"Content-Type": "application/vnd.apple.mpegurl"}
    return yielded(spider.parse(TextResponse(request.url, body=text.encode(), headers=headers, request=request)))


def test_a_file_that_a_page_names_is_a_pending_row_and_a_request(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    (request,) = yielded(spider.parse(page(AUDIO.format("a"))))
    assert (request.url, kind_of(request)) == (f"{URL}a.mp3", RequestKind.FILE)
    assert (request.callback, request.errback) == (spider.parse_audio, spider.audio_failed)
    source = audio_row(request)
    assert source is not None
    assert (source.page_url, source.link_text, source.found_by) == (URL, "a", "a_href")
    assert row(spider, f"{URL}a.mp3").status == Status.PENDING


def test_a_file_that_is_only_listed_is_an_item(tmp_path: Path) -> None:
    spider = spider_in(tmp_path, download="no")
    (item,) = yielded(spider.parse(page(AUDIO.format("a"))))
    assert isinstance(item, AudioItem)
    assert item.file_urls == [f"{URL}a.mp3"]
    assert spider.crawl.stats.get_value("audio/listed") == 1


@pytest.mark.parametrize(
    ("depth", "urls"),
    [(0, ["player"]), (1, ["player", "feed.xml", "below", "a.mp3"]), (2, ["player", "feed.xml", "below", "a.mp3"])],
)
def test_pages_below_are_asked_for_as_deep_as_is_wanted(depth: int, urls: list[str], tmp_path: Path) -> None:
    body = (
        "<iframe src=https://open.spotify.com/embed/x></iframe><a href=/below>b</a>"
        "<link rel=alternate type=application/rss+xml href=/feed.xml>" + AUDIO.format("a")
    )
    spider = spider_in(tmp_path, depth=str(depth), render="never")
    requests = [each for each in yielded(spider.parse(page(body))) if isinstance(each, Request)]
    expected = [url for url in urls if url != "player"]
    assert {url for url in asked(requests) if not url.startswith("https:")} == {*expected, "a.mp3"}
    assert {each.meta["level"] for each in requests if each.url == f"{URL}below"} <= {1}


RECORDING = (
    "<audio><source src=/a.mp3 type=audio/mpeg><source src=/a.flac type=audio/flac>"
    "<source src=/a.ogg type=audio/ogg></audio>"
)


def test_the_best_of_the_alternates_is_asked_for_and_carries_the_others(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    (request,) = yielded(spider.parse(page(RECORDING)))
    assert request.url == f"{URL}a.flac"
    assert {url for url, _ in request.meta["alternates"]} == {f"{URL}a.mp3", f"{URL}a.ogg"}
    rows = [row(spider, f"{URL}a.{extension}") for extension in ("flac", "mp3", "ogg")]
    assert [each.status for each in rows] == [Status.PENDING, Status.ALTERNATE, Status.ALTERNATE]
    assert len({each.group_id for each in rows} - {None}) == 1


def test_all_alternates_can_be_asked_for(tmp_path: Path) -> None:
    spider = spider_in(tmp_path, alternates="all")
    requests = yielded(spider.parse(page(RECORDING)))
    assert sorted(asked(requests)) == ["a.flac", "a.mp3", "a.ogg"]
    assert not any(each.meta["alternates"] for each in requests)


def test_an_alternate_takes_the_place_of_what_failed_or_was_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "<audio><source src=/a.mp3 type=audio/mpeg><source src=/a.flac type=audio/flac></audio>"
    spider = spider_in(tmp_path)
    monkeypatch.setattr(
        "audiocrawler.spiders.audio.refer", lambda _, request, page_url: request.replace(headers={"Referer": page_url})
    )
    (request,) = yielded(spider.parse(page(body)))
    (alternate,) = yielded(spider.audio_failed(failure_of(request, 404)))
    assert (alternate.url, alternate.headers["Referer"]) == (f"{URL}a.mp3", URL.encode())
    assert (row(spider, f"{URL}a.flac").status, row(spider, f"{URL}a.flac").reason) == (Status.FAILED, "HTTP 404")


def test_a_stream_is_a_row_and_no_request(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    answered = page("", f"{URL}live", {})
    answered = answered.replace(headers={"Content-Type": "audio/mpeg", "icy-name": "x"}, flags=["download_stopped"])
    assert yielded(spider.parse(answered)) == []
    assert row(spider, f"{URL}live").status == Status.STREAM


def test_a_page_that_opts_out_gives_rows_and_no_request(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    assert yielded(spider.parse(page("<meta name=robots content=noai>" + AUDIO.format("a")))) == []
    assert row(spider, f"{URL}a.mp3").status == Status.OPTED_OUT


def test_a_player_that_opts_nothing_out_has_its_pages_opt_out(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    assert yielded(spider.parse(page(AUDIO.format("a"), meta={"page_opt_out": "meta robots: noai"}))) == []


PARTS = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n1.aac\n#EXTINF:4,\n2.aac\n#EXT-X-ENDLIST\n"


def test_the_parts_of_a_rendition_become_one_file(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    (first,) = playlist(spider, PARTS)
    assert (first.url, kind_of(first), first.dont_filter) == (f"{URL}1.aac", RequestKind.PART, False)
    parts = [tmp_path / "1", tmp_path / "2"]
    for number, part in enumerate(parts):
        part.write_bytes(b"part %d;" % number)
    (second,) = yielded(spider.parse_part(answer(first, parts[0])))
    assert (second.url, second.dont_filter) == (f"{URL}2.aac", True)
    (item,) = yielded(spider.parse_part(answer(second, parts[1])))
    assert Path(item.files[0]["path"]).read_bytes() == b"part 0;part 1;"
    assert item.source.source_url == f"{URL}list.m3u8"
    assert not any(part.exists() for part in parts)


def test_a_rendition_that_lacks_a_part_is_a_failed_row(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    (first,) = playlist(spider, PARTS)
    asyncio.run(spider.part_failed(failure_of(first, 404)))
    assert row(spider, f"{URL}list.m3u8").reason == "part 1 of 2: HTTP 404"


def test_a_rendition_is_no_larger_than_a_file_may_be(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    spider.crawl.settings = spider.crawl.settings.model_copy(update={"max_bytes": 5})
    (first,) = playlist(spider, PARTS)
    (tmp_path / "1").write_bytes(b"too much")
    assert yielded(spider.parse_part(answer(first, tmp_path / "1"))) == []
    assert row(spider, f"{URL}list.m3u8").status == Status.TOO_LARGE


@pytest.mark.parametrize(
    ("text", "meta", "status", "reason"),
    [
        (PARTS.replace(".aac", ".ts"), {"via": "a_href", "is_certain_audio": False}, "not_audio", "may hold video"),
        (
            PARTS.replace("4\n", "4\n#EXT-X-KEY:METHOD=AES-128,URI=k\n"),
            {},
            "protected",
            "encrypted",
        ),
        (PARTS.replace("#EXT-X-ENDLIST\n", ""), {}, "stream", "endless"),
    ],
)
def test_a_rendition_that_is_not_taken_has_a_row_that_says_why(
    text: str, meta: dict[str, Any], status: str, reason: str, tmp_path: Path
) -> None:
    spider = spider_in(tmp_path)
    assert playlist(spider, text, meta) == []
    found = row(spider, f"{URL}list.m3u8")
    assert found.status == status
    assert reason in str(found.reason)


def test_what_a_rendition_can_hold_is_known_where_only_audio_leads_to_it(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    (first,) = playlist(spider, PARTS.replace(".aac", ".ts"), {"via": "audio_src", "is_certain_audio": True})
    assert kind_of(first) is RequestKind.PART


def interstitial(request: Request, body: str) -> Response:
    first = FirstBytes(Response(request.url, headers={"Content-Type": "text/html"}).headers)
    first.add(body.encode())
    request.meta[FIRST_BYTES] = first
    return HtmlResponse(request.url, body=body.encode(), request=request, flags=["download_stopped"])


def test_an_interstitial_is_followed_once(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    body = "<!doctype html><html><meta http-equiv=refresh content='1; url=/real.mp3'></html>"
    (onward,) = yielded(spider.parse_audio(interstitial(file_request(spider), body)))
    assert (onward.url, onward.dont_filter) == (f"{URL}real.mp3", True)
    assert yielded(spider.parse_audio(interstitial(onward, body))) == []
    assert row(spider, f"{URL}a.mp3").status == Status.NOT_AUDIO
    assert "even after following its refresh once" in str(row(spider, f"{URL}a.mp3").reason)


def dropped(spider: AudioSpider, request: Request, item: AudioItem, why: BaseException) -> list[Request]:
    asked_for: list[Request] = []
    spider.crawler.engine = type("Engine", (), {"crawl": staticmethod(asked_for.append)})()
    asyncio.run(spider.item_dropped(item, answer(request), why))
    return asked_for


def test_what_is_dropped_to_come_again_is_asked_for_again_and_at_last_fails(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    request = file_request(spider)
    source = audio_row(request)
    assert source is not None
    item = AudioItem(file_urls=[request.url], source=source)
    (again,) = dropped(spider, request, item, FetchAgainError("it broke off"))
    assert (again.url, again.meta["retry_times"]) == (request.url, 1)
    worn_out = request.replace(meta={**request.meta, "retry_times": 100})
    assert dropped(spider, worn_out, item, FetchAgainError("it broke off")) == []
    assert row(spider, request.url).reason == "it broke off"


def test_a_refused_file_leaves_its_place_to_an_alternate_unless_the_fault_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spider = spider_in(tmp_path)
    monkeypatch.setattr("audiocrawler.spiders.audio.refer", lambda _, request, page_url: request)
    other = AudioSource(source_url=f"{URL}b.mp3", status=Status.ALTERNATE)
    source = AudioSource(source_url=f"{URL}a.mp3", status=Status.UNDECODABLE, reason="noise")
    request = spider.downloads.request(source.source_url, source, [(other.source_url, other)])
    item = AudioItem(file_urls=[request.url], source=source)
    assert asked(dropped(spider, request, item, RefusedError(source))) == ["b.mp3"]
    source.status = Status.FAILED
    assert dropped(spider, request, item, RefusedError(source)) == []


def test_a_fresh_url_is_one_that_the_page_names_now_and_was_not_tried() -> None:
    found_on = {"url": URL, "is_rendered": False, "where": {}}
    source = AudioSource(source_url=f"{URL}a.mp3", status=Status.PENDING)
    pages: list[str] = []

    async def ask(page: dict[str, Any]) -> Response:
        pages.append(page["url"])
        return HtmlResponse(page["url"])

    async def urls_in(_: Response) -> dict[str, list[str]]:
        return {f"{URL}a.mp3": [f"{URL}a.mp3?Expires=1", f"{URL}a.mp3?Expires=2"]}

    async def both() -> list[Request | None]:
        renewal = Renewal(Stats(), ask=ask, urls_in=urls_in)  # type: ignore[arg-type]
        meta = {KIND: "file", "audio": source, "found_on": found_on}
        requests = [Request(f"{URL}a.mp3?Expires=1", meta=dict(meta)) for _ in range(2)]
        return list(await asyncio.gather(*map(renewal.renewed, requests)))

    class Stats:
        def inc_value(self, name: str) -> None:
            assert name == "audio/pages_asked_again"

    fresh = asyncio.run(both())
    assert [each and each.url for each in fresh] == [f"{URL}a.mp3?Expires=2"] * 2
    assert pages == [URL]


def test_every_callback_is_a_method(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    assert all(callable(getattr(spider, name)) for name in spider.callbacks)


def test_a_retry_takes_of_a_page_what_failed_and_nothing_else(tmp_path: Path) -> None:
    spider = spider_in(tmp_path, RetrySpider)
    wanted = page(AUDIO.format("a") + AUDIO.format("b") + "<a href=/c>c</a>", meta={"wanted": [f"{URL}b.mp3"]})
    assert asked(yielded(spider.parse(wanted))) == ["b.mp3"]
