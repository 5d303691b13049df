"""``scrapy report`` and the report at a crawl's end: when one is written, where, and what is said where none can be."""

import json
import shutil
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.crawling import QUICK, Run, crawl, finish, start
from tests.report.pages import opened
from tests.site.server import Site

NO_REPORT = "the report could not be written: "


def start_page(site: Site) -> str:
    return f"url={site.url}/audio/rain.ogg"


@pytest.fixture(scope="module")
def one_file(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with Site() as site:
        return crawl(tmp_path_factory.mktemp("one_file"), start_page(site))


def test_a_crawl_writes_none_where_the_setting_is_empty(one_file: Run) -> None:
    assert "report" not in one_file.stdout
    assert not list(one_file.folder.rglob("*.html"))


def test_a_report_that_cannot_be_written_leaves_the_exit_code_of_the_crawl(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = crawl(tmp_path, start_page(site), settings={"AUDIO_REPORT": "file/report.html"})
    assert done.code == 0
    assert NO_REPORT in done.stderr
    assert "AUDIO_REPORT=" in done.stderr


def test_after_an_interruption_there_is_none(site: Site, tmp_path: Path) -> None:
    settings = {"AUDIO_REPORT": "data/report.html", "DOWNLOAD_DELAY": "30"}
    process = start(tmp_path, f"url={site.url}", "depth=2", settings=settings)
    while len(site.requests) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert finish(process, tmp_path).code == 130
    assert not list(tmp_path.rglob("*.html"))


def test_by_default_there_is_one_but_not_for_a_job_of_scrapyd(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(QUICK, "AUDIO_REPORT")
    assert "report" not in crawl(tmp_path, start_page(site), "_job=7").stdout
    assert not list(tmp_path.rglob("*.html"))
    assert "  report      data/report.html\n" in crawl(tmp_path, start_page(site)).stdout
    assert (tmp_path / "data/report.html").is_file()


def test_the_page_is_where_out_says_and_finds_the_files_from_there(one_file: Run, browser: Browser) -> None:
    done = crawl(one_file.folder, command=("report", "--out", "shown/to/all.html", "--json"))
    assert json.loads(done.stdout)["report"] == "shown/to/all.html"
    with opened(browser, one_file.folder / "shown/to/all.html") as page:
        page.locator(".row .play button").click()
        page.wait_for_selector("#toggle.pause")
        assert page.locator("#audio").evaluate("audio => audio.error") is None


def test_a_collection_that_has_moved_plays_from_its_new_place(one_file: Run, browser: Browser, tmp_path: Path) -> None:
    shutil.copytree(one_file.folder / "data", tmp_path / "data")
    moved = tmp_path / "elsewhere, 100% here"
    crawl(tmp_path, command=("report",))
    shutil.move(tmp_path / "data", moved)
    with opened(browser, moved / "report.html") as page:
        page.locator(".row .play button").click()
        page.wait_for_selector("#toggle.pause")


def test_previews_are_heard_far_from_the_store(one_file: Run, browser: Browser, tmp_path: Path) -> None:
    done = crawl(one_file.folder, command=("report", "--listen", "3", "--out", str(tmp_path / "sent.html")))
    assert (done.code, done.stderr) == (0, "")
    text = (tmp_path / "sent.html").read_text(encoding="utf-8")
    assert len(text) < 150_000
    with opened(browser, tmp_path / "sent.html") as page:
        page.locator(".row .play button").first.click()
        page.wait_for_selector("#toggle.pause")
        assert page.locator("#audio").get_attribute("src", timeout=1000) is not None
        assert str(page.locator("#audio").get_attribute("src")).startswith("blob:")
        assert 0.5 < page.locator("#audio").evaluate("audio => audio.duration") < 10.2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--where", "no_such = 1"), "no_such"),
        (("--where", "1); DROP TABLE audio_metadata; --"), "--where"),
        (("--crawl", "unknown"), "--crawl unknown: no such crawl"),
        (("--rows", "0"), "'0' is not a number of files"),
        (("--listen", "many"), "'many' is not a number of files"),
        (("sound",), "sound: not an option"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_exit_code_2(one_file: Run, options: tuple[str, ...], words: str) -> None:
    done = crawl(one_file.folder, command=("report", *options))
    assert (done.code, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_page_that_cannot_be_written_is_exit_code_4(one_file: Run) -> None:
    done = crawl(one_file.folder, command=("report", "--out", "data/audio.db/report.html"))
    assert done.code == 4
    assert "data/audio.db/report.html: cannot be written" in done.stderr
