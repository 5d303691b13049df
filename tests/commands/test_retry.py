"""``scrapy retry`` on what a real crawl has left."""

from pathlib import Path

import pytest

from tests.crawling import Run, crawl
from tests.site.answers import Options
from tests.site.server import Site

FAILING = ("/audio/surf.mp3", "/signed/session.mp3", "/hls/segment-1.mp3")
RENDITION = "/hls/vod.m3u8"


def retry(folder: Path, *options: str) -> Run:
    return crawl(folder, command=("retry", *options))


def statuses(run: Run, site: Site) -> dict[str, str]:
    return {url.removeprefix(site.url): row["last_status"] for url, row in run.sources.items()}


@pytest.fixture
def failed(site: Site, tmp_path: Path) -> Run:
    """Return a crawl of three pages, each with a file that failed; the site works again."""
    site.options = Options(missing=FAILING)
    pages = f"url={site.url}/shore.html {site.url}/signed.html {site.url}{RENDITION}"
    run = crawl(tmp_path, pages)
    site.options = Options()
    assert sorted(status for status in statuses(run, site).values() if status == "failed") == ["failed"] * 3
    return run


def test_what_failed_is_fetched_and_nothing_else(failed: Run, site: Site, tmp_path: Path) -> None:
    before = len(site.requests)
    run = retry(tmp_path)
    asked = {request.path.partition("?")[0] for request in site.requests[before:]}
    after = statuses(run, site)
    assert run.code == 0, run.stderr
    assert {after["/audio/surf.mp3"], after[RENDITION]} == {"stored", "duplicate"}  # the same bytes, in parts
    assert "failed" not in after.values()
    assert after["/signed/session.mp3?Expires=~&Signature=~"] == "stored"  # the page names a stale signature, too
    assert "/audio/harbour-bell.flac" not in asked  # it was stored, on a page with one that failed
    assert "/shore.html" not in asked
    assert "/signed.html" in asked  # the only way to a signature


def test_what_describes_a_file_stays_with_its_row(failed: Run, site: Site, tmp_path: Path) -> None:
    kept = ("page_url", "page_title", "found_by", "role", "site", "first_seen_at")
    before = failed.sources[f"{site.url}/audio/surf.mp3"]
    after = retry(tmp_path).sources[f"{site.url}/audio/surf.mp3"]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert (after["reason"], after["last_error"], after["http_status"]) == (None, None, 200)


def test_the_selection_narrows_it_down(failed: Run, site: Site, tmp_path: Path) -> None:
    assert retry(tmp_path, "--host", "elsewhere.example").stderr.splitlines()[-1].startswith("nothing to retry")
    (crawl_id,) = {row["crawl_id"] for row in failed.sources.values()}
    assert retry(tmp_path, "--reason", "part 2 of 3", "--crawl", crawl_id).code == 0
    after = statuses(failed, site)
    assert (after[RENDITION], after["/audio/surf.mp3"]) == ("stored", "failed")
    assert retry(tmp_path, "--crawl", "another").stderr.splitlines()[-1].startswith("nothing to retry")


@pytest.mark.parametrize(
    ("option", "message"), [(("--status", "lost"), "-a status"), (("surf.mp3",), "takes options only")]
)
def test_a_wrong_selection_is_refused_in_one_line(option: tuple[str, ...], message: str, tmp_path: Path) -> None:
    run = retry(tmp_path, *option)
    assert run.code == 2
    assert message in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
