"""What goes in by standard input and out by standard output: only what was asked for, and what fails is told."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crawling import REPOSITORY, Run, crawl, environment, words_of
from tests.shelf import Shelf

AUDIO = sorted((REPOSITORY / "tests/site/audio").glob("*.mp3"))[:12]


@pytest.fixture(scope="module")
def shelf() -> Iterator[Shelf]:
    with Shelf({f"/{body.name}": (body.read_bytes(), {"Content-Type": "audio/mpeg"}) for body in AUDIO}) as served:
        yield served


def in_shell(folder: Path, line: str, *command: str, **settings: str) -> Run:
    """Run a line of bash in which ``$crawl`` stands for a crawl, and return what it printed and how it ended."""
    crawl_words = shlex.join(words_of(command or ("crawl", "audio"), settings=settings))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("$crawl", crawl_words)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return Run(done.returncode, done.stdout, done.stderr, folder)


def test_starts_come_from_standard_input_and_items_go_to_standard_output(shelf: Shelf, tmp_path: Path) -> None:
    starts = f"# mine\r\n\r\n{shelf.url}/{AUDIO[0].name}\r\n{shelf.url}/{AUDIO[1].name}\r\n"
    (tmp_path / "starts.txt").write_bytes(starts.encode("utf-16"))
    run = in_shell(tmp_path, "cat starts.txt | $crawl -a urls=- -O -:jsonlines")
    assert run.code == 0, run.stderr
    items = [json.loads(line) for line in run.stdout.splitlines()]
    assert {item["file_urls"][0] for item in items} == {f"{shelf.url}/{body.name}" for body in AUDIO[:2]}
    assert "  stored      2 files" in run.stderr
    listed = in_shell(tmp_path, "$crawl -a urls=<(cat starts.txt) -a download=no")
    assert listed.code == 0, listed.stderr
    assert "  listed      2 (" in listed.stdout


@pytest.mark.parametrize("line", ["$crawl -a urls=- < /dev/null", "$crawl -a urls=- <&-", "$crawl -a urls=/dev/zero"])
def test_a_list_that_cannot_be_had_is_one_line(line: str, tmp_path: Path) -> None:
    run = in_shell(tmp_path, line)
    assert (run.code, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert "scrapy: error: -a urls=" in run.stderr


def test_a_reader_that_goes_away_changes_nothing_of_the_crawl(shelf: Shelf, tmp_path: Path) -> None:
    run = in_shell(tmp_path, f"{{ $crawl -a url={shelf.url}/ -O -:jsonlines; echo $? > code; }} 2> errors | true")
    assert (tmp_path / "code").read_text() == "0\n"
    errors = (tmp_path / "errors").read_text()
    assert "  stored      12 files" in errors
    assert "Traceback" not in errors + run.log
    assert len(run.objects) == 12
    again = in_shell(tmp_path, f"{{ $crawl -a url={shelf.url}/; echo $? > code; }} 2>&1 | true")
    assert ((tmp_path / "code").read_text(), len(again.objects)) == ("0\n", 12)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_no_file_of_the_crawl_takes_the_place_of_a_closed_output(closed: str, shelf: Shelf, tmp_path: Path) -> None:
    run = in_shell(tmp_path, f"$crawl -a url={shelf.url}/{AUDIO[0].name} {closed}")
    assert (run.code, len(run.objects), len(run.audio)) == (0, 1, 1)
    assert "  stored      1 files" not in run.log + run.stderr
    assert "AUDIO_CONTACT" not in run.log + run.stdout


def test_a_takedown_that_nobody_reads_is_carried_out_whole(shelf: Shelf, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={shelf.url}/")
    line = "{ $crawl --host 127.0.0.1 --yes; echo $? > code; } | true"
    run = in_shell(tmp_path, line, "takedown")
    assert ((tmp_path / "code").read_text(), run.objects, run.audio) == ("0\n", [], [])


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/proc/none/out.jsonl", "No such file or directory"),
        ("data/audio.db/out.csv", "Not a directory|File exists"),
        ("/dev/full:jsonlines", "No space left on device"),
        ("gs://no-bucket/out.jsonl", "credentials"),
    ],
)
def test_an_export_that_fails_is_told_and_loses_no_row(target: str, words: str, shelf: Shelf, tmp_path: Path) -> None:
    settings = {"AUDIO_GCP_KEY_FILE": ""} if target.startswith("gs:") else {}
    env = "NO_GCE_CHECK=true GOOGLE_APPLICATION_CREDENTIALS= HOME=/nonexistent "
    run = in_shell(tmp_path, f"{env}$crawl -a url={shelf.url}/ -O {target} -O whole.jsonl", **settings)
    (line,) = [line for line in run.stderr.splitlines() if "error:" in line]
    assert run.code == 4
    uri = target.removesuffix(":jsonlines")
    assert line.startswith(f"scrapy: error: export to {uri} failed: ")
    assert any(word in line for word in words.split("|")), line
    assert len(run.audio) == len(run.objects) == 12
    (row,) = run.query("SELECT exit_code, error FROM audio_crawls")
    assert (row["exit_code"], uri in row["error"]) == (4, True)
    assert len((tmp_path / "whole.jsonl").read_text().splitlines()) == 12


def test_a_full_disk_behind_standard_output_is_told(shelf: Shelf, tmp_path: Path) -> None:
    run = in_shell(tmp_path, f"$crawl -a url={shelf.url}/ -O -:jsonlines > /dev/full")
    assert run.code == 4
    assert "No space left on device" in run.stderr
    assert len(run.audio) == 12


def test_settings_that_stop_a_crawl_leave_an_earlier_export_alone(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("yesterday\n")
    url = "http://127.0.0.1:9/"
    store = in_shell(tmp_path, f"$crawl -a url={url} -O out.jsonl", AUDIO_STORE="/proc/none")
    scheme = in_shell(tmp_path, f"$crawl -a url={url} -O out.jsonl -O tape://0/out.csv")
    assert (store.code, scheme.code) == (2, 2)
    assert "scrapy: error: export to out.jsonl, tape://0/out.csv: invalid scheme" in scheme.stderr
    assert (tmp_path / "out.jsonl").read_text() == "yesterday\n"
    assert "connection refused" not in scheme.log
