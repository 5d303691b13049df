"""After a takedown no crawl asks for it, stores it, or brings its row back, as the server and the tables see it."""

from pathlib import Path

from tests.crawling import Run, crawl, finish, start
from tests.site.answers import Options
from tests.site.server import Site

FILE = "/audio/surf.mp3"


def take_down(folder: Path, *arguments: str, code: int = 0) -> Run:
    run = crawl(folder, command=("takedown", *arguments, "--yes"))
    assert run.code == code, run.stderr
    return run


def test_a_source_is_never_asked_for_again(site: Site, tmp_path: Path) -> None:
    stored = crawl(tmp_path, f"url={site.url}/shore.html")
    assert len(stored.objects) == 2
    take_down(tmp_path, "--source", f"{site.url}{FILE}")
    before = site.count(FILE)
    run = crawl(tmp_path, f"url={site.url}/shore.html")
    assert run.code == 0
    assert site.count(FILE) == before
    row = run.sources[f"{site.url}{FILE}"]
    assert (row["status"], row["title"], row["page_url"], row["sha256"]) == ("taken_down", None, None, None)
    assert len(run.objects) == len(run.audio) == 1
    assert "taken down" in run.stdout


def test_no_spelling_of_a_source_is_asked_for_again(site: Site, tmp_path: Path) -> None:
    spellings = ("/audio/s%75rf.mp3", "/audio/x/../surf%2Emp3", "/audio/surf.mp3?", "/x/..\\..\\audio\\surf.mp3")
    stored = crawl(tmp_path, f"url={site.url}{FILE}")
    assert len(stored.objects) == 1
    upper = site.url.replace("http://", "HTTP://anna@")
    told = take_down(tmp_path, "--source", f"{upper}{spellings[0]}#t=1")
    assert f"took down {site.url}{FILE}" in told.stdout
    before = len(site.requests)
    run = crawl(tmp_path, "url=" + " ".join(site.url + path for path in (FILE, *spellings)))
    asked = {request.path for request in site.requests[before:]} - {"/robots.txt", "/.well-known/tdmrep.json"}
    assert (asked, run.objects, run.audio, run.code) == (set(), [], [], 3)
    assert {row["status"] for row in run.sources.values()} == {"taken_down"}


def test_the_same_bytes_from_another_url_are_not_stored_again(site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.url}/audio/rain.ogg")
    take_down(tmp_path, "--source", f"{site.url}/audio/rain.ogg")
    run = crawl(tmp_path, f"url={site.url}/copies/rain-backup.ogg")
    row = run.sources[f"{site.url}/copies/rain-backup.ogg"]
    assert (row["status"], row["reason"]) == ("taken_down", "the same bytes were taken down")
    assert (run.objects, run.audio) == ([], [])


def test_nothing_of_a_host_is_asked_for_whether_it_was_seen_before_or_not(site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.url}/shore.html")
    take_down(tmp_path, "--host", "127.0.0.1")
    before = len(site.requests)
    run = crawl(tmp_path, f"url={site.url}/")
    assert (run.code, len(site.requests)) == (3, before)
    assert "host 127.0.0.1 was taken down" in run.stdout + run.stderr
    assert (run.objects, run.audio) == ([], [])


def test_audio_on_a_host_that_was_taken_down_has_a_row_and_is_not_asked_for(site: Site, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    crawl(tmp_path, f"url={site.url}/shore.html")
    take_down(tmp_path, "--host", "127.0.0.2.", code=3)  # nothing of it is known yet
    run = crawl(tmp_path, f"url={site.url}/", "depth=1")
    assert not [request for request in site.requests if request.url.startswith(site.second_url)]
    covered = [row for url, row in run.sources.items() if url.startswith("http://127.0.0.2")]
    assert all(row["status"] == "taken_down" and row["page_url"] is None for row in covered)


def test_a_takedown_waits_for_the_end_of_a_crawl(tmp_path: Path) -> None:
    with Site(Options(slow_s=6)) as site:
        process = start(tmp_path, f"url={site.url}/trouble/slow.mp3")
        while not site.sent_bytes("/trouble/slow.mp3"):
            assert process.poll() is None
        words = ("takedown", "--host", "127.0.0.1")
        runs = [crawl(tmp_path, command=command) for command in (words, (*words, "--yes"))]
        assert finish(process, tmp_path).code == 0
    for run in runs:
        assert run.code == 5
        assert run.stderr.endswith("a crawl or another takedown is running; try again after it has finished\n")
        assert run.stderr.count("\n") == 1
