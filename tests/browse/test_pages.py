"""The pages in a real Chromium: what is seen, heard and counted, and that nothing in a row is more than text."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browse.browsing import Served, browsing
from tests.export.collecting import RATE_HZ, collect, ordinary, tone
from tests.report.pages import HOSTILE, SCRIPT_URL

LONG = tone(99, samples=3 * RATE_HZ)
LONG_ROW = {"title": "The long one", "duration_ms": 3000, "content_type": "audio/wav"}
ALL_HOSTILE = {
    **dict.fromkeys(("title", "artist", "host", "file_name", "language", "codec", "page_title"), HOSTILE),
    **dict.fromkeys(("page_url", "license_url", "transcript_url"), SCRIPT_URL),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("browse")
    collect(folder, [*ordinary(40), (LONG, LONG_ROW), (tone(77), ALL_HOSTILE)])
    with browsing(folder) as running:
        yield running


@contextmanager
def opened(browser: Browser, url: str, **how: Any) -> Iterator[Page]:
    """Open a page; whatever it logs is wrong."""
    wrong: list[str] = []
    context = browser.new_context(**how)
    page = context.new_page()
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(url)
    yield page
    context.close()
    assert wrong == []


def heard_s(page: Page, least_s: float) -> float:
    """Return where the player is, once it has come so far."""
    for _ in range(200):
        at = float(page.locator("audio").evaluate("audio => audio.currentTime"))
        if at >= least_s:
            return at
        page.wait_for_timeout(50)
    raise AssertionError(page.locator("audio").evaluate("audio => [audio.currentTime, audio.error?.message]"))


def test_the_first_page_lists_the_files_with_waveforms_and_counts(served: Served, browser: Browser) -> None:
    with opened(browser, served.url) as page:
        expect(page.locator("h3").first).to_contain_text("42 rows")
        expect(page.locator("tbody tr")).to_have_count(42)
        drawn = page.locator("tbody .waveform path").first.get_attribute("d") or ""
        assert drawn.count("M") == 100
        assert page.locator("th[data-column=duration_ms]").get_attribute("title", timeout=1000)
        row = page.locator("tr", has_text="The long one")
        expect(row.locator("td.col-duration_ms")).to_have_text("0:03.0")
        page.locator("#facet-license a", has_text="CC-BY-4.0").click()
        expect(page.locator("h3").first).to_contain_text('license = "CC-BY-4.0"')
        assert 0 < page.locator("tbody tr").count() < 42
        for facet in ("language", "host", "codec", "classification", "status"):
            assert page.locator(f"#facet-{facet}").count() == 1


def test_a_file_plays_and_a_click_into_its_waveform_seeks(served: Served, browser: Browser) -> None:
    with opened(browser, f"{served.url}audio/files?title=The+long+one") as page:
        page.locator(".play").click()
        heard_s(page, 0.2)
        assert page.locator("audio").evaluate("audio => audio.duration") == pytest.approx(3, abs=0.01)
        expect(page.locator(".player b")).to_have_text("The long one")
        box = page.locator(".waveform").bounding_box()
        assert box
        page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 5)
        assert heard_s(page, 2.0) < 3.0
        assert 0.6 < float(page.locator(".waveform").evaluate("each => each.style.getPropertyValue('--at')")) <= 1
        page.locator(".play").click()
        expect(page.locator(".play.on")).to_have_count(0)


def test_an_object_opened_by_itself_plays_too(served: Served, browser: Browser) -> None:
    with opened(browser, f"{served.url}audio/files?title=The+long+one") as page:
        page.goto(served.url.rstrip("/") + str(page.locator(".play").get_attribute("href")))
        player = page.locator("video")
        for _ in range(100):
            if player.evaluate("player => player.readyState") >= 1:
                break
            page.wait_for_timeout(50)
        assert player.evaluate("player => player.duration") == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize("path", ["audio/files", "audio/audio_sources", "audio/pages", "audio", "audio/audio_metadata"])
def test_hostile_texts_and_addresses_are_only_text(path: str, served: Served, browser: Browser) -> None:
    with opened(browser, f"{served.url}{path}") as page:
        page.wait_for_load_state("networkidle")
        assert page.title() != "owned"
        assert page.locator("a[href^='javascript']").count() == 0
        assert page.locator("img[src=x]").count() == 0
    if path in {"audio/files", "audio/pages"}:
        text = served.ask(f"/{path}").body.decode()
        assert "javascript:document.title=" in text


def test_numbers_of_rows_lead_to_the_rows(served: Served, browser: Browser) -> None:
    with opened(browser, f"{served.url}audio/hours?license=CC-BY-4.0&language__isnull=1") as page:
        link = page.locator("td.col-files a")
        number = link.inner_text()
        link.click()
        expect(page.locator("h3").first).to_contain_text(f"{number} rows")


def test_on_a_telephone_nothing_is_wider_than_it(served: Served, browser: Browser) -> None:
    with opened(browser, served.url, viewport={"width": 390, "height": 844}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        box = page.locator(".waveform").first.bounding_box()
        assert box
        assert box["width"] > 200


def test_waveforms_and_players_are_in_the_results_of_any_query(served: Served, browser: Browser) -> None:
    query = "select+sha256,waveform+from+files+where+title='The+long+one'"
    with opened(browser, f"{served.url}audio?sql={query}") as page:
        page.locator(".play").click()
        heard_s(page, 0.1)
        expect(page.locator(".waveform .heard")).to_have_count(1)
