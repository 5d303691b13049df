"""A report of what is in a bucket and in BigQuery has its sound in it: no page can open a bucket."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.cloud import Cloud
from tests.crawling import crawl
from tests.export.collecting import collect, copy, tone
from tests.report.pages import opened

FILES = 6


def test_previews_from_a_bucket_are_heard(cloud: Cloud, browser: Browser, tmp_path: Path) -> None:
    copy(collect(tmp_path / "here", [(tone(number), {}) for number in range(FILES)]), cloud)
    (tmp_path / "there").mkdir()
    done = crawl(tmp_path / "there", command=("report", "--listen", "2"), env=cloud.env)
    assert (done.code, done.stderr) == (0, "")
    assert f"data/report.html: {FILES} files, {FILES} URLs" in done.stdout
    with opened(browser, tmp_path / "there/data/report.html") as page:
        playable = page.locator(".row .play button:not([disabled])")
        assert (page.locator(".row").count(), playable.count()) == (FILES, 2)
        playable.first.click()
        page.wait_for_selector("#toggle.pause")
        assert str(page.locator("#audio").get_attribute("src")).startswith("blob:")
        assert 0.1 < page.locator("#audio").evaluate("audio => audio.duration") < 0.4
    refused = crawl(
        tmp_path / "there", command=("report", "--where", "nonsense = 1", "--out", "no.html"), env=cloud.env
    )
    assert (refused.code, refused.stdout, len(refused.stderr.splitlines())) == (2, "", 1)
    assert refused.stderr.startswith("scrapy: error: --where 'nonsense = 1': ")
    assert not (tmp_path / "there/no.html").exists()
