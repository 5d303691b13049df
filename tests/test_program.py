"""The program ``audiocrawler``: the commands and exit codes of ``scrapy``, with options, in any folder."""

import sys
from pathlib import Path

import pytest

from audiocrawler import __version__
from audiocrawler.config.arguments import Arguments
from tests.crawling import QUICK, Run, crawl, run_apart
from tests.site.server import Site

QUICKLY = [word for name, value in QUICK.items() for word in ("-s", f"{name}={value}")]


def audiocrawler(folder: Path, *words: str) -> Run:
    return run_apart(folder, sys.executable, "-m", "audiocrawler.program", *words, COLUMNS="80")


def test_the_commands_work_with_options_beside_another_projects_scrapy_cfg(site: Site, tmp_path: Path) -> None:
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = of.another.project\n", encoding="utf-8")
    starts = (f"{site.url}/shore.html", f"{site.url}/lighthouse.html")
    run = audiocrawler(tmp_path, "crawl", *starts, "--depth", "0", "--limit=2", *QUICKLY, "-O", "out.jsonl")
    assert run.code == 0, run.stderr
    assert len(run.audio) == len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 2
    (record,) = run.query("SELECT arguments FROM audio_crawls")
    assert all(start in record["arguments"] for start in starts)
    assert '"limit": "2"' in record["arguments"]
    assert audiocrawler(tmp_path, "verify").code == 0
    assert audiocrawler(tmp_path, "flush").code == 0
    assert audiocrawler(tmp_path, "sync", "--to-store", "copy").code == 0
    assert audiocrawler(tmp_path, "takedown", "--host", "nowhere.example").code == 3
    assert audiocrawler(tmp_path, "retry", "--host", "nowhere.example", *QUICKLY).code == 0
    run.objects[0].unlink()
    assert audiocrawler(tmp_path, "verify").code == 4


def test_scrapy_takes_the_same_options(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, command=("crawl", "audio", f"{site.url}/shore.html", "--download", "no"))
    assert run.code == 0
    assert {row["status"] for row in run.sources.values()} == {"pending", "alternate"}
    assert not any(request.path.startswith("/audio/") for request in site.requests)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["crwl"], "crwl: no such command; did you mean crawl?"),
        (["crawl"], "give one of --url https://... and --urls FILE"),
        (["crawl", "example.org"], "--url: 'example.org' has no scheme; write https://example.org"),
        (["crawl", "https://example.org", "--dpeth", "2"], "--dpeth: no such option; did you mean --depth?; see"),
        (["crawl", "https://example.org", "--depth", "two"], "--depth two: must be a whole number"),
        (
            ["crawl", "https://example.org", "--depth", "1", "--depth", "2"],
            "--depth is given 2 times; give it once; see",
        ),
        (["crawl", "https://example.org", "-a", "url=https://example.com"], "url is given both as --url and after -a"),
        (
            ["crawl", "https://example.org", "-s", "AUDIO_STOER=x"],
            "AUDIO_STOER: no such setting; did you mean AUDIO_ST",
        ),
        (["flush", "all"], "all: not an option; this command takes options only; see `audiocrawler flush --help`"),
        (["takedown"], "one of the arguments --source --host --sha256 is required; see"),
        (["retry", "--hots", "x"], "--hots: no such option; did you mean --host?; see"),
    ],
)
def test_wrong_usage_is_told_in_one_line_with_code_2(words: list[str], message: str, tmp_path: Path) -> None:
    run = audiocrawler(tmp_path, *words)
    assert (run.code, run.stdout) == (2, "")
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"audiocrawler: error: {message}")
    assert list(tmp_path.iterdir()) == []


def test_an_option_of_ours_is_not_taken_for_another_spiders(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import scrapy\nclass Mine(scrapy.Spider):\n    name = 'mine'\n", encoding="utf-8"
    )
    run = crawl(tmp_path, command=("crawl", "mine", "--depth", "2"), settings={"SPIDER_MODULES": "mine"})
    assert run.code == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("scrapy: error: --depth is an option of the spider audio; for mine use -a NAME=VALUE; see")


def test_the_help_lists_the_commands_and_every_argument(tmp_path: Path) -> None:
    listed = audiocrawler(tmp_path, "--help").stdout
    assert [line.split()[0] for line in listed.splitlines() if line.startswith("  ")] == [
        *("browse", "crawl", "doctor", "export", "flush", "report", "retry", "sync", "takedown", "verify"),
    ]
    run = audiocrawler(tmp_path, "crawl", "--help")
    assert run.stdout.startswith("usage: audiocrawler crawl [options] URL...")
    told = " ".join(run.stdout.split())
    for name, field in Arguments.model_fields.items():
        assert f" --{name} " in told
        assert str(field.description) in told
    assert audiocrawler(tmp_path, "--version").stdout == f"audiocrawler {__version__}\n"
