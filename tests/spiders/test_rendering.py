"""Requests for the browser survive a frontier, and what it has seen becomes candidates."""

import json
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.http import HtmlResponse

from audiocrawler.discovery import DEFAULT_FINDERS, Candidate, read
from audiocrawler.fetch.requests import KIND, Place
from audiocrawler.rendering.visit import How, Seen, SeenText, SeenUrl, cookies_for
from audiocrawler.scheduler.request_json import MediaFingerprinter
from audiocrawler.spiders.audio import AudioSpider
from audiocrawler.spiders.rendering import digest, seen_candidates
from tests.one_crawl import spider_in

URL = "https://example.org/page"


def seen_in(seen: Seen, *known: str) -> dict[str, Candidate]:
    seen.url = URL
    document = read(HtmlResponse(URL, body=b"<html><title>t</title></html>"))
    found = seen_candidates([], seen, document, DEFAULT_FINDERS, [digest(url) for url in known])
    return {candidate.url: candidate for candidate in found}


def test_a_request_for_the_browser_is_plain_values_and_names(tmp_path: Path) -> None:
    spider = spider_in(tmp_path)
    request = spider.renderer.request(URL, Place(site="example.org", level=1), "a player made by scripts", ["0011"])
    assert json.loads(json.dumps(request.meta)) == request.meta
    assert (request.callback, request.errback) == (spider.parse_rendered, spider.render_failed)
    assert {name for name in ("parse_rendered", "render_failed") if hasattr(AudioSpider, name)} == {
        getattr(method, "__name__", "") for method in (request.callback, request.errback)
    }


def test_a_page_in_the_browser_is_another_request_and_a_route_another_page() -> None:
    fingerprint = MediaFingerprinter().fingerprint
    urls = [URL, f"{URL}#/one", f"{URL}#/two"]
    assert len({fingerprint(Request(url, meta={KIND: "rendered"})) for url in urls} | {fingerprint(Request(URL))}) == 4


def test_answers_are_read_against_the_page_with_what_they_say() -> None:
    text = json.dumps({"title": "One", "url": "/a/one.mp3"})
    found = seen_in(Seen(texts=[SeenText("https://api.example.com/v1/7", text, "data", "application/json")]))
    assert (found["https://example.org/a/one.mp3"].found_by, found["https://example.org/a/one.mp3"].title) == (
        "browser_json",
        "One",
    )


def test_scripts_are_searched_for_urls() -> None:
    script = SeenText("https://example.org/app.js", 'const track = "/a/two.mp3"; if (1 < 2) play(track);', "script")
    assert seen_in(Seen(texts=[script]))["https://example.org/a/two.mp3"].found_by == "browser_script"


def test_what_the_plain_document_told_is_left_out() -> None:
    urls = [SeenUrl(f"https://example.org/{name}.mp3", How.REQUEST) for name in ("told", "new")]
    assert list(seen_in(Seen(urls=urls), "https://example.org/told.mp3")) == ["https://example.org/new.mp3"]


def test_a_manifest_stands_for_its_segments() -> None:
    listed = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg-1.aac\n"
    urls = [
        SeenUrl("https://cdn.example.com/x/list.m3u8", How.MANIFEST),
        SeenUrl("https://cdn.example.com/y/seg-1.aac", How.REQUEST, is_by_script=True),
        SeenUrl("https://cdn.example.com/other.mp3", How.REQUEST, is_by_script=True),
    ]
    found = seen_in(Seen(urls=urls, texts=[SeenText("https://cdn.example.com/x/list.m3u8", listed, "data")]))
    assert {url: each.found_by for url, each in found.items()} == {
        "https://cdn.example.com/x/list.m3u8": "browser_manifest",
        "https://cdn.example.com/other.mp3": "browser_request",
    }


def test_blobs_and_videos_are_no_audio() -> None:
    urls = [SeenUrl("https://example.org/film.mp4", How.VIDEO), SeenUrl("https://example.org/doc.pdf", How.DOWNLOAD)]
    assert seen_in(Seen(urls=urls)) == {}


def test_cookies_go_to_the_hosts_that_they_are_for() -> None:
    def cookie(name: str, domain: str, *, secure: bool = False) -> dict[str, Any]:
        return {"name": name, "value": "v", "domain": domain, "path": "/", "secure": secure}

    cookies = [cookie("own", "example.org"), cookie("all", ".example.org"), cookie("else", ".example.com")]
    cookies.append(cookie("safe", "example.org", secure=True))
    assert [each["name"] for each in cookies_for("https://example.org/a", cookies)] == ["own", "all", "safe"]
    assert [each["name"] for each in cookies_for("http://example.org/a", cookies)] == ["own", "all"]
    assert [each["name"] for each in cookies_for("http://cdn.example.org/a", cookies)] == ["all"]
    assert cookies_for("http://badexample.org/a", cookies) == []
