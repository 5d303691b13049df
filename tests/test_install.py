"""What must be installed for what: a folder and SQLite need no cloud library, no Redis and no browser."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.crawling import QUICK, REPOSITORY, Run, run_apart
from tests.site.server import Site

OF_EXTRAS = (
    *("google", "grpc", "redis", "playwright", "scrapy_playwright", "scrapyd"),
    *("pyarrow", "huggingface_hub", "datasette"),
)
WITHOUT_EXTRAS = (
    f"import sys; sys.modules.update(dict.fromkeys({OF_EXTRAS!r}))\n"  # an import finds None there, and fails
    "from scrapy.cmdline import execute; sys.argv[0] = 'scrapy'; execute()"
)


def scrapy_without_extras(folder: Path, *words: str) -> Run:
    settings = [word for name, value in QUICK.items() for word in ("-s", f"{name}={value}")]
    command = sys.executable, "-c", WITHOUT_EXTRAS, *words, *settings
    return run_apart(folder, *command, SCRAPY_SETTINGS_MODULE="audiocrawler.settings")


def test_a_folder_and_sqlite_need_no_extra(site: Site, tmp_path: Path) -> None:
    run = scrapy_without_extras(tmp_path, "crawl", "audio", "-a", f"url={site.url}/shore.html")
    assert run.code == 0, run.stderr
    assert len(run.objects) == len(run.audio) == 2
    assert scrapy_without_extras(tmp_path, "verify", "--hash").code == 0


@pytest.mark.parametrize(
    ("words", "named", "extra"),
    [
        (["crawl", "audio", "-s", "AUDIO_STORE=gs://bucket/audio"], "AUDIO_STORE=gs://bucket/audio", "gcp"),
        (["crawl", "audio", "-s", "AUDIO_WAREHOUSE=bigquery://p/d/t"], "AUDIO_WAREHOUSE=bigquery://p/d/t", "gcp"),
        (["crawl", "audio", "-s", "AUDIO_FRONTIER=redis://127.0.0.1:9/0"], "AUDIO_FRONTIER=redis://", "redis"),
        (["crawl", "audio", "-a", "render=always"], "-a render", "browser"),
        (["crawl", "audio", "-O", "out.parquet"], "out.parquet", "export"),
        (["browse"], "browse", "browse"),
        (["sync", "--to-store", "gs://bucket/audio"], "--to-store=gs://bucket/audio", "gcp"),
        (["export", "--format", "jsonl", "--push", "a/b"], "--push", "hub"),
        (["flush", "-s", "AUDIO_WAREHOUSE=bigquery://p/d/t"], "AUDIO_WAREHOUSE=bigquery://p/d/t", "gcp"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_needs_an_extra_says_so_before_the_first_request(
    words: list[str], named: str, extra: str, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "data/objects").mkdir(parents=True)
    (tmp_path / "data/audio.db").touch()
    start = ["-a", f"url={site.url}/"] if words[0] == "crawl" else []
    run = scrapy_without_extras(tmp_path, *words, *start)
    assert run.code == 2
    (line,) = [line for line in run.stderr.splitlines() if "error:" in line]
    assert named in line
    assert "Traceback" not in run.stderr
    assert line.endswith(f"pip install 'audiocrawler[{extra}]'")
    assert site.requests == []


def test_without_the_browsers_package_pages_are_searched_as_they_are(site: Site, tmp_path: Path) -> None:
    run = scrapy_without_extras(tmp_path, "crawl", "audio", "-a", f"url={site.url}/scripted/fetched.html")
    assert "Traceback" not in run.stderr + run.log
    assert "pip install 'audiocrawler[browser]'" in run.stderr


def test_every_extra_is_documented() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    documented = re.findall(r"^\| `\[(\w+)\]` \|", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == list(project["optional-dependencies"])
