"""Pages that need a browser, in a real Chromium: what is found, what is left alone, and what ends well."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.chromium import require_chromium
from tests.crawling import Run, crawl, finish, start
from tests.site.scripted import MEMBER
from tests.site.server import Site

GOOD_PAGES = (
    *("fetched", "answered", "clicked", "manifest", "segments", "shadow", "framed"),
    *("lazy", "members", "beside", "rude", "crashing", "reloading", "forbidden", "inward"),
)
FOUND = {
    "/scripted/audio/fetched.wav": ("fetched", "browser_audio_src"),
    "/scripted/audio/answered.wav": ("answered", "browser_json"),
    "/scripted/audio/clicked.wav": ("clicked", "browser_request"),
    "/hls/segment-0.mp3": ("segments", "browser_request"),
    "/hls/segment-1.mp3": ("segments", "browser_request"),
    "/hls/segment-2.mp3": ("segments", "browser_request"),
    "/scripted/audio/shadow.wav": ("shadow", "browser_audio_src"),
    "/scripted/audio/framed.wav": ("frame", "browser_audio_src"),
    "/scripted/audio/lazy.wav": ("lazy", "browser_audio_src"),
    "/scripted/members-only.wav": ("members", "browser_audio_src"),
    "/scripted/audio/beside-link.wav": ("beside", "a_href"),
    "/scripted/audio/beside-one.wav": ("beside", "browser_audio_src"),
    "/scripted/audio/beside-two.wav": ("beside", "browser_audio_src"),
    "/scripted/audio/rude.wav": ("rude", "browser_audio_src"),
    "/scripted/audio/rude-download.wav": ("rude", "browser_download"),
    "/scripted/audio/reloading.wav": ("reloading", "browser_audio_src"),
    "/scripted/audio/forbidden.wav": ("forbidden", "browser_audio_src"),
    "/scripted/audio/inward.wav": ("inward", "browser_audio_src"),
}
"""The audio of these pages: on which page, and how it is found."""


def pages(site: Site, *names: str) -> str:
    return "url=" + " ".join(f"{site.url}/scripted/{name}.html" for name in names)


def below(pid: int) -> dict[psutil.Process, list[str]]:
    """Return the processes below this one, with their command lines; those that end meanwhile are left out."""
    found = {}
    with suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                found[child] = child.cmdline()
    return found


@pytest.fixture(scope="module")
def chromium() -> str:
    return require_chromium()


@pytest.fixture(scope="module")
def scripted_site() -> Iterator[Site]:
    with Site() as served:
        yield served


@pytest.fixture(scope="module")
def rendered(chromium: str, scripted_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a crawl of all pages that come to a good end."""
    settings = {"AUDIO_ALLOW_ADDRESSES": "", "CONCURRENT_REQUESTS_PER_DOMAIN": "8", "LOG_LEVEL": "DEBUG"}
    return crawl(tmp_path_factory.mktemp("rendered"), pages(scripted_site, *GOOD_PAGES), settings=settings)


def test_audio_that_only_scripts_name_is_found_and_stored(rendered: Run, scripted_site: Site) -> None:
    audio = {url.removeprefix(scripted_site.url): row for url, row in rendered.sources.items() if row["kind"] != "page"}
    manifest = audio.pop("/hls/vod.m3u8")
    assert (manifest["status"], manifest["found_by"]) == ("stored", "browser_manifest")
    assert {path: (row["page_url"], row["found_by"]) for path, row in audio.items()} == {
        path: (f"{scripted_site.url}/scripted/{page}.html", found_by) for path, (page, found_by) in FOUND.items()
    }
    assert {path: row["reason"] for path, row in audio.items() if row["status"] != "stored"} == {}
    assert rendered.code == 0
    assert audio["/scripted/audio/answered.wav"]["title"] == "An answered tape"


def test_audio_is_asked_for_by_the_crawl_alone_with_cookies_and_referrer(rendered: Run, scripted_site: Site) -> None:
    once = [path for path in FOUND if not path.startswith("/hls/")]  # a manifest lists these, too
    assert {path: scripted_site.count(path) for path in once} == dict.fromkeys(once, 1)
    for request in scripted_site.requests:
        assert request.headers["User-Agent"].startswith("audiocrawler/")
    assert MEMBER not in rendered.log
    assert MEMBER.encode() not in (rendered.folder / "data/audio.db").read_bytes()


def test_pictures_and_styles_are_not_loaded_and_no_click_leads_away(rendered: Run, scripted_site: Site) -> None:
    asked = {request.path for request in scripted_site.requests}
    assert not asked & {"/style.css", "/scripted/cover.png", "/scripted/left.html", "/scripted/worker.js"}


def test_a_page_that_reloads_itself_is_kept_from_it(rendered: Run, scripted_site: Site) -> None:
    assert scripted_site.count("/scripted/reloading.html") <= 7  # 5 in the browser, and the plain one


def test_a_page_that_crashes_has_a_row_that_says_so(rendered: Run, scripted_site: Site) -> None:
    row = rendered.sources[f"{scripted_site.url}/scripted/crashing.html"]
    assert (row["status"], row["kind"], row["reason"]) == (
        "failed",
        "page",
        "browser: the page crashed",
    )


def test_the_browser_obeys_robots_txt(rendered: Run, scripted_site: Site) -> None:
    assert "/scripted/forbidden.html" in {request.path for request in scripted_site.requests}
    assert scripted_site.count("/private/list.json") == 0


def test_the_browser_is_kept_from_addresses_that_the_crawl_may_not_reach(rendered: Run, scripted_site: Site) -> None:
    assert [request.url for request in scripted_site.requests if "/scripted/probe" in request.url] == []
    assert "browser request blocked: 127.0.0.2 is not public" in rendered.log


def test_routes_that_only_scripts_know_are_followed(chromium: str, site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/scripted/app/", "depth=1")
    assert {url.removeprefix(site.url): row["page_url"].removeprefix(site.url) for url, row in run.sources.items()} == {
        "/scripted/audio/first.wav": "/scripted/app/first",
        "/scripted/audio/second.wav": "/scripted/app/#/second",
    }


def test_pages_that_hang_are_ended_and_the_others_go_on(chromium: str, site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, pages(site, "hanging", "stuck", "shadow"), settings={"AUDIO_BROWSER_PAGE_S": "12"})
    rows = {url.rpartition("/")[2]: (row["status"], row["reason"]) for url, row in run.sources.items()}
    late = "browser timeout: the page did not finish within 12 s"
    assert rows["hanging.html"] == rows["stuck.html"] == ("failed", late)
    assert rows["shadow.wav"] == ("stored", None)
    assert "not opened  2 (pages that may have more audio" in run.stdout
    assert run.code == 0


def test_more_sites_than_contexts_do_not_wait_for_ever(chromium: str, site: Site, tmp_path: Path) -> None:
    local = site.url.replace("127.0.0.1", "localhost")
    urls = f"url={site.url}/scripted/shadow.html {local}/scripted/clicked.html {site.second_url}/scripted.html"
    run = crawl(tmp_path, urls, settings={"AUDIO_BROWSER_CONTEXTS": "2", "LOG_LEVEL": "DEBUG"})
    assert len(run.audio) == 3
    assert "'playwright/context_count': 3" in run.log
    assert "'playwright/context_count/max_concurrent': 2" in run.log


@pytest.mark.parametrize(("path", "render"), [("/scripted/shadow.html", "never"), ("/shore.html", "auto")])
def test_nothing_is_started_before_a_page_needs_it(site: Site, tmp_path: Path, path: str, render: str) -> None:
    process = start(tmp_path, f"url={site.url}{path}", f"render={render}")
    seen: set[str] = set()
    while process.poll() is None:
        seen |= {" ".join(words) for words in below(process.pid).values()}
        time.sleep(0.05)
    run = finish(process, tmp_path)
    assert not [command for command in seen if "chrom" in command or "node" in command or "playwright" in command]
    assert (site.count(path), len(run.audio) > 0) == (1, render == "auto")


def test_always_opens_pages_without_a_sign_of_a_player_too(chromium: str, site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/voices.html", "render=always", "depth=0")
    assert site.count("/voices.html") == 2
    assert "'browser/pages': 1" in run.log


def test_without_a_browser_auto_goes_on_and_always_does_not(site: Site, tmp_path: Path) -> None:
    nowhere = {"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    run = crawl(tmp_path, pages(site, "beside", "shadow"), env=nowhere)
    rows = {url.rpartition("/")[2]: row for url, row in run.sources.items()}
    assert rows["beside-link.wav"]["status"] == "stored"
    assert (rows["shadow.html"]["status"], rows["shadow.html"]["kind"]) == ("pending", "page")
    assert rows["shadow.html"]["reason"].endswith("no browser available")
    assert (run.code, run.log.count("playwright install"), run.stderr.count("playwright install")) == (0, 1, 1)
    refused = crawl(tmp_path, pages(site, "shadow"), "render=always", env=nowhere)
    assert (refused.code, refused.stderr.count("playwright install")) == (2, 1)
    misnamed = crawl(tmp_path, pages(site, "shadow"), settings={"AUDIO_CHROMIUM": "/nowhere/chromium"})
    assert (misnamed.code, "AUDIO_CHROMIUM=/nowhere/chromium" in misnamed.stderr) == (2, True)


def test_a_browser_that_does_not_start_is_told_of_once(site: Site, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no libraries >&2; exit 1\n", encoding="ascii")
    broken.chmod(0o755)
    settings = {"AUDIO_CHROMIUM": str(broken), "AUDIO_BROWSER_PAGES": "1"}
    run = crawl(tmp_path, pages(site, "beside", "shadow", "clicked"), settings=settings)
    rows = {url.rpartition("/")[2]: row["status"] for url, row in run.sources.items() if row["kind"] == "page"}
    assert sorted(rows.values()) == ["failed", "pending", "pending"] or set(rows.values()) == {"failed"}
    assert (run.code, run.log.count("ERROR: " + str(broken))) == (0, 1)
    refused = crawl(tmp_path, pages(site, "shadow"), "render=always", settings=settings)
    assert (refused.code, refused.stderr.count(f"{broken} could not be started")) == (2, 1)


def test_a_browser_that_dies_is_started_again(chromium: str, site: Site, tmp_path: Path) -> None:
    names = ("hanging", "lazy", "shadow", "clicked", "framed")
    process = start(tmp_path, pages(site, *names), settings={"AUDIO_BROWSER_PAGE_S": "10", "AUDIO_BROWSER_PAGES": "2"})
    while not any(request.path.startswith("/scripted/audio/") for request in site.requests):
        assert process.poll() is None
        time.sleep(0.05)
    for child, words in below(process.pid).items():
        if "--remote-debugging-pipe" in words:
            child.kill()
    run = finish(process, tmp_path)
    assert run.code == 0
    assert {url.rpartition("/")[2] for url, row in run.sources.items() if row["status"] == "stored"} == {
        f"{name}.wav" for name in ("lazy", "shadow", "clicked", "framed")
    }


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_browser_survives_its_crawl(chromium: str, site: Site, tmp_path: Path, how: signal.Signals) -> None:
    process = start(tmp_path, pages(site, "hanging"))
    browser: dict[psutil.Process, list[str]] = {}
    while not any("--type=renderer" in words for words in browser.values()):
        assert process.poll() is None
        time.sleep(0.1)
        browser = below(process.pid)
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # as a terminal does: driver and browser get it, too
    else:
        process.send_signal(how)
    run = finish(process, tmp_path, timeout_s=30)
    assert run.code == (130 if how == signal.SIGINT else -9)
    assert psutil.wait_procs(list(browser), timeout=15)[1] == []
