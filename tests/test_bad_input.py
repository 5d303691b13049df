"""Bad input: one clear line, the exit code of the design, and nothing already stored is lost."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from audiocrawler.config.arguments import Arguments
from tests.crawling import crawl
from tests.site.answers import Options
from tests.site.server import Site


def error_of(stderr: str) -> str:
    (line,) = [line for line in stderr.splitlines() if "error:" in line]
    assert "Traceback" not in stderr
    return line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "-a url=https://"),
        (["url=example.org"], "write https://example.org"),
        (["url=https://example.org/", "dept=1"], "-a dept: no such argument"),
        (["url=https://example.org/", "limit=none"], "-a limit"),
        (["url=https://example.org/", "url=https://example.net/"], "-a url: is given 2 times; separate URLs by spaces"),
    ],
)
def test_usage_errors_end_with_2(arguments: list[str], words: str, tmp_path: Path) -> None:
    run = crawl(tmp_path, *arguments)
    assert run.code == 2
    assert words in error_of(run.stderr)
    assert len(run.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("AUDIO_FLUSH_ROWS", "many", "AUDIO_FLUSH_ROWS=many: must be a whole number, 1 or more"),
        ("AUDIO_MAX_FILES_IN_FLIGHT", "0", "AUDIO_MAX_FILES_IN_FLIGHT=0: must be a whole number, 1 or more"),
        ("AUDIO_FINDERS", '{"no.such.find": 1}', "AUDIO_FINDERS: no.such.find: could not be loaded"),
        ("CONCURRENT_REQUESTS", "abc", "CONCURRENT_REQUESTS=abc: must be a whole number, 1 or more"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL=loud: must be CRITICAL"),
        (
            "LOG_FILE",
            "no/such/folder/log",
            "LOG_FILE=no/such/folder/log: cannot be written (No such file or directory)",
        ),
        ("EXTENSIONS", "x", "EXTENSIONS=x: must be a JSON object"),
    ],
)
def test_a_setting_that_cannot_work_is_named_before_anything_is_done(
    setting: str, value: str, words: str, tmp_path: Path
) -> None:
    run = crawl(tmp_path, "url=https://example.org/", settings={setting: value})
    assert run.code == 2
    assert words in error_of(run.stderr)
    assert len(run.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("EXTENSIONS", '{"no.such.Extension": 1}', "EXTENSIONS: no.such.Extension: could not be loaded"),
        ("REFERRER_POLICY", "sometimes", "could not start: Could not load referrer policy 'sometimes'"),
    ],
)
def test_what_only_scrapy_can_judge_is_named_before_the_first_request(
    setting: str, value: str, words: str, site: Site, tmp_path: Path
) -> None:
    run = crawl(tmp_path, f"url={site.url}/shore.html", settings={setting: value})
    assert run.code == 2
    assert words in error_of(run.stderr)
    assert site.requests == []


def test_a_whole_number_may_be_written_as_a_fraction(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/shore.html", settings={"AUDIO_MAX_BYTES": "1e6", "AUDIO_WORKERS": ""})
    assert run.code == 0
    assert run.audio


def test_a_contact_that_comes_by_option_is_shown_to_the_site(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/shore.html", "download=no", settings={"AUDIO_CONTACT": "me@example.org"})
    assert run.code == 0
    assert {request.headers["User-Agent"].endswith("(+me@example.org)") for request in site.requests} == {True}


@pytest.mark.parametrize("how", ["settings", "env"])
def test_a_setting_that_does_not_exist_is_named_with_the_one_that_may_be_meant(how: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {how: {"AUDIO_STOER": "elsewhere"}}
    run = crawl(tmp_path, "url=https://example.org/", **given)
    assert run.code == 2
    assert error_of(run.stderr).endswith("AUDIO_STOER: no such setting; did you mean AUDIO_STORE?")
    assert not (tmp_path / "data").exists()


def test_an_unknown_host_is_named(tmp_path: Path) -> None:
    run = crawl(tmp_path, "url=http://no-such-host.invalid/", settings={"RETRY_TIMES": "0"})
    assert run.code == 3
    assert "http://no-such-host.invalid/: " in run.stdout
    assert "unknown host" in run.stdout


def test_a_refused_connection_is_named(tmp_path: Path) -> None:
    with Site() as site:
        url = site.url
    run = crawl(tmp_path, f"url={url}/", settings={"RETRY_TIMES": "0"})
    assert run.code == 3
    assert "connection refused" in run.stdout


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere.html", "HTTP 404"),
        ("/private/index.html", "disallows it"),
        ("/impostors/picture.mp3", "a GIF image"),
    ],
)
def test_a_start_that_cannot_be_searched_is_named_with_its_reason(
    path: str, words: str, site: Site, tmp_path: Path
) -> None:
    run = crawl(tmp_path, f"url={site.url}{path}")
    assert run.code == 3
    assert f"{site.url}{path}: " in run.stdout
    assert words in run.stdout


def test_a_page_without_audio_says_so(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/about.html")
    assert run.code == 3
    assert "no audio" in error_of(run.stderr)


def test_one_good_start_is_enough(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/nowhere.html {site.url}/shore.html")
    assert run.code == 0
    assert "HTTP 404" in run.stdout


def test_robots_txt_that_answers_500_means_no(tmp_path: Path) -> None:
    with Site(Options(robots_status=500)) as site:
        run = crawl(tmp_path, f"url={site.url}/", settings={"RETRY_TIMES": "0"})
        assert {request.path for request in site.requests} == {"/robots.txt"}
    assert run.code == 3
    assert "HTTP 500, everything disallowed" in run.stdout


def test_a_database_of_another_schema_is_left_alone(site: Site, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data/audio.db") as database:
        database.execute("CREATE TABLE audio_metadata (gcp_url TEXT, duration_ms TEXT)")
        database.execute("INSERT INTO audio_metadata VALUES ('x', 'long')")
    run = crawl(tmp_path, f"url={site.url}/shore.html")
    assert run.code == 2
    assert "duration_ms" in error_of(run.stderr)
    assert run.query("SELECT * FROM audio_metadata") == [{"gcp_url": "x", "duration_ms": "long"}]
    assert site.requests == []


def test_a_file_that_is_no_database_is_left_alone(site: Site, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/audio.db").write_text("my notes" * 1000, encoding="utf-8")
    run = crawl(tmp_path, f"url={site.url}/shore.html")
    assert run.code == 2
    assert "audio.db" in error_of(run.stderr)
    assert (tmp_path / "data/audio.db").read_text(encoding="utf-8") == "my notes" * 1000


def test_a_table_with_the_users_five_columns_is_adopted(site: Site, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data/audio.db") as database:
        database.execute(
            "CREATE TABLE audio_metadata (gcp_url TEXT NOT NULL, file_name TEXT NOT NULL,"
            " duration_ms INTEGER NOT NULL, loudness REAL NOT NULL, classification TEXT NOT NULL)"
        )
        database.execute("INSERT INTO audio_metadata VALUES ('gs://old/a.mp3', 'a.mp3', 1, -3.5, 'High Energy')")
    run = crawl(tmp_path, f"url={site.url}/shore.html")
    assert run.code == 0
    (old,) = run.query("SELECT * FROM audio_metadata WHERE gcp_url = 'gs://old/a.mp3'")
    assert (old["file_name"], old["loudness"]) == ("a.mp3", -3.5)
    assert len(run.audio) == len(run.objects) + 1


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("AUDIO_STORE", "file:blocked/objects"),
        ("AUDIO_WAREHOUSE", "sqlite:blocked/audio.db"),
        ("AUDIO_INCOMING", "blocked/incoming"),
        ("AUDIO_LOG_DIR", "blocked/logs"),
        ("AUDIO_STORE", "ftp://example.org/objects"),
        ("AUDIO_WAREHOUSE", "postgres://example.org/audio"),
    ],
)
def test_places_that_cannot_be_used_are_named(setting: str, value: str, site: Site, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_bytes(b"a file where a folder should be")
    run = crawl(tmp_path, f"url={site.url}/shore.html", settings={setting: value})
    assert run.code == 2
    assert re.search(r"blocked|ftp:|postgres:", error_of(run.stderr))
    assert site.requests == []


def test_a_full_disk_stops_the_crawl_and_keeps_what_is_stored(site: Site, tmp_path: Path, small_disk: Path) -> None:
    settings = {
        "AUDIO_STORE": f"file:{small_disk}/objects",
        "AUDIO_INCOMING": f"{small_disk}/incoming",
        "AUDIO_MIN_FREE_BYTES": "0",
    }
    run = crawl(tmp_path, f"url={site.url}/recordings.html", "depth=1", settings=settings)
    assert run.code == 4
    assert "disk is full" in error_of(run.stderr)
    stored = {row["gcp_url"] for row in run.audio}
    objects = {path.as_uri() for path in (small_disk / "objects").rglob("*") if path.is_file()}
    assert stored == objects
    left = [row for row in run.sources.values() if row["status"] == "pending"]
    assert left


def test_the_help_names_every_argument(tmp_path: Path) -> None:
    run = crawl(tmp_path, command=("crawl", "audio", "--help"))
    assert run.code == 0
    told = " ".join(run.stdout.split())
    for name, field in Arguments.model_fields.items():
        assert re.search(rf" --{name} \S+ {re.escape(str(field.description))}", told), name
