"""How polite and how careful a crawl is, as the servers that it visits see it."""

from itertools import pairwise
from pathlib import Path

from audiocrawler import __version__
from tests.crawling import crawl
from tests.emulators.http_proxy import HttpProxy
from tests.site.answers import Options
from tests.site.server import Site

POLITE = {"AUTOTHROTTLE_ENABLED": "True", "DOWNLOAD_DELAY": "0.5"}


def gaps_s(at_s: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(at_s)]


def test_pages_of_a_host_are_half_a_second_apart_by_default(site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.url}/recordings.html", "depth=1", settings=POLITE)
    pages = [r.at_s for r in site.requests if r.path.endswith(".html")]
    assert len(pages) > 4
    assert min(gaps_s(pages)) >= 0.45


def test_autothrottle_does_not_undercut_a_crawl_delay(site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.second_url}/", "depth=1", settings={"AUTOTHROTTLE_ENABLED": "True"})
    on_second = [r for r in site.requests if r.url.startswith(site.second_url) and r.path != "/robots.txt"]
    for is_media in (False, True):
        at_s = [r.at_s for r in on_second if r.path.startswith("/audio/") == is_media]
        assert len(at_s) > 1
        assert min(gaps_s(at_s)) >= 0.95


def test_the_user_agent_is_truthful(site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.url}/shore.html", env={"AUDIO_CONTACT": "https://example.org/bot"})
    agents = {r.headers["User-Agent"] for r in site.requests}
    assert agents == {f"audiocrawler/{__version__} (+https://example.org/bot)"}


def test_a_missing_contact_is_told(site: Site, tmp_path: Path) -> None:
    assert "AUDIO_CONTACT" in crawl(tmp_path, f"url={site.url}/shore.html").stderr
    assert "AUDIO_CONTACT" not in crawl(tmp_path, f"url={site.url}/shore.html", env={"AUDIO_CONTACT": "a@b.c"}).stderr


def test_settings_come_from_the_environment_and_the_command_line_wins(site: Site, tmp_path: Path) -> None:
    environment = {"AUDIO_STORE": "file:elsewhere", "AUDIO_WAREHOUSE": "sqlite:data/env.db"}
    crawl(tmp_path, f"url={site.url}/shore.html", env=environment, settings={"AUDIO_WAREHOUSE": "sqlite:data/audio.db"})
    assert (tmp_path / "elsewhere").is_dir()
    assert (tmp_path / "data/audio.db").exists()
    assert not (tmp_path / "data/env.db").exists()


def test_a_slow_file_takes_longer_than_the_stall_timeout(tmp_path: Path) -> None:
    with Site(Options(slow_s=4)) as site:
        run = crawl(
            tmp_path, f"url={site.url}/trouble.html", settings={"AUDIO_STALL_TIMEOUT_S": "2", "RETRY_TIMES": "0"}
        )
    assert run.sources[f"{site.url}/trouble/slow.mp3"]["status"] == "stored"


def test_a_transfer_that_stalls_is_given_up(tmp_path: Path) -> None:
    settings = {"AUDIO_STALL_TIMEOUT_S": "0.5", "RETRY_TIMES": "0"}
    with Site(Options(many_delay_s=600, many_files=3)) as site:
        run = crawl(tmp_path, f"url={site.url}/many/", settings=settings)
    assert {(row["status"], row["reason"]) for row in run.sources.values()} == {("failed", "no response for 0.5 s")}


def test_downloads_wait_while_as_many_files_as_allowed_are_under_way(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.2, many_files=8)) as site:
        run = crawl(tmp_path, f"url={site.url}/many/", settings={"AUDIO_MAX_FILES_IN_FLIGHT": "1"})
        at_s = [r.at_s for r in site.requests if "tone" in r.path]
    assert len(run.objects) == 8
    assert min(gaps_s(at_s)) >= 0.19


def test_too_little_room_on_disk_slows_a_crawl_down_and_does_not_end_it(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/many/", settings={"AUDIO_MAX_INCOMING_BYTES": "1"})
    assert run.code == 0
    assert len(run.objects) == 80


def test_a_proxy_of_the_environment_is_used(site: Site, tmp_path: Path) -> None:
    with HttpProxy() as proxy:
        run = crawl(tmp_path, f"url={site.url}/birds.html", env={"http_proxy": proxy.url, "no_proxy": ""})
    assert len(run.objects) == 1
    assert {("GET", request.url) for request in site.requests} == set(proxy.asked)
