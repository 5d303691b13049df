"""A crawl keeps what is stated about licences, and takes only the files that it is asked for."""

from pathlib import Path

import pytest

from tests.crawling import Run, crawl
from tests.site.server import Site
from tests.site.tones import tone_wav
from tests.strange_server import Wire, strange

ZERO = "https://creativecommons.org/publicdomain/zero/1.0/"


@pytest.fixture
def run(site: Site, tmp_path: Path) -> Run:
    return crawl(tmp_path, f"url={site.url}/rights/index.html")


def test_rows_show_what_is_stated_about_each_file(site: Site, run: Run) -> None:
    rows = {url.rpartition("/")[2]: row for url, row in run.sources.items()}
    surf, creek, rain = rows["surf.mp3"], rows["creek.wav"], rows["rain.ogg"]
    assert (surf["license"], surf["license_url"], surf["license_found_in"]) == ("CC0-1.0", ZERO, "page_link=CC0-1.0")
    assert (creek["license"], creek["license_raw"], creek["license_found_in"]) == (None, None, None)
    assert (rain["license"], rain["license_url"], rain["attribution"]) == (None, None, "Ada")
    assert rain["license_found_in"] == "json_ld=CC-BY-4.0 | page_link=CC0-1.0"
    stated = {row["source_url"].rpartition("/")[2]: (row["license"], row["license_conflict"]) for row in run.audio}
    assert stated == {
        "surf.mp3": ("CC0-1.0", 0),
        "creek.wav": (None, 0),
        "rain.ogg": (None, 1),
        "gulls.ogg": ("CC-BY-NC-4.0", 0),
    }


def test_files_under_other_licences_are_not_asked_for(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/rights/index.html", settings={"AUDIO_LICENSES": "CC0-1.0,CC-BY-4.0"})
    rows = {url.rpartition("/")[2]: (row["status"], row["reason"]) for url, row in run.sources.items()}
    assert rows == {
        "surf.mp3": ("stored", None),
        "creek.wav": ("filtered", "no licence found"),
        "gulls.ogg": ("filtered", "licence CC-BY-NC-4.0 is not in AUDIO_LICENSES"),
        "rain.ogg": ("filtered", "conflicting licences (json_ld=CC-BY-4.0 | page_link=CC0-1.0)"),
    }
    asked = {each.path for each in site.requests if each.path.startswith("/audio/")}
    assert asked == {"/audio/surf.mp3", "/audio/creek.wav"}


def test_a_file_about_which_nothing_is_stated_is_asked_and_then_left_out(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/rights/silent.html", settings={"AUDIO_LICENSES": "CC0-1.0"})
    (row,) = run.sources.values()
    assert (row["status"], row["reason"]) == ("filtered", "no licence found")
    assert run.objects == []
    assert "/audio/surf.mp3" in [each.path for each in site.requests]


def test_a_licence_that_does_not_exist_is_refused_before_the_crawl(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/rights/index.html", settings={"AUDIO_LICENSES": "CC-BY-9.0"})
    assert run.code == 2
    assert "AUDIO_LICENSES=CC-BY-9.0" in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert site.requests == []


FORMATS = (
    '<audio><source src="/tape.wav"><source src="/tape.mp3"></audio><script type="application/ld+json">['
    '{"@type": "AudioObject", "contentUrl": "/tape.wav", "license": "CC-BY-NC-4.0"},'
    '{"@type": "AudioObject", "contentUrl": "/tape.mp3", "license": "CC0-1.0"}]</script>'
)


def test_the_best_alternate_gives_way_to_one_whose_licence_is_wanted(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        wire.body(FORMATS if path == "/" else tone_wav(1), kind="text/html" if path == "/" else "audio/wav")

    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/", settings={"AUDIO_LICENSES": "CC0-1.0"})
    rows = {url.rpartition("/")[2]: (row["status"], row["reason"]) for url, row in run.sources.items()}
    assert rows == {
        "tape.wav": ("filtered", "licence CC-BY-NC-4.0 is not in AUDIO_LICENSES"),
        "tape.mp3": ("stored", None),
    }
