"""AUDIO_LOG_FORMAT=json makes every line of the log an object, in a file or on stderr, with no secret in it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.crawling import crawl
from tests.site.server import Site


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_of_the_file_is_an_object(site: Site, tmp_path: Path):
    run = crawl(tmp_path, f"url={site.url}/", "_job=monday", settings={"AUDIO_LOG_FORMAT": "json"})
    lines = lines_of(run.log)
    assert run.code == 0
    assert len(lines) > 10
    for line in lines:
        assert {"time", "level", "logger", "message"} <= line.keys()
        assert datetime.fromisoformat(line["time"]).utcoffset() is not None
    assert "Scrapy" in lines[0]["message"]
    spider_lines = [line for line in lines if line["message"].startswith("Dumping Scrapy stats")]
    assert [line["crawl_id"] for line in spider_lines] == ["monday"]
    assert "\n" in spider_lines[0]["message"]


def test_the_environment_asks_for_it_too_and_without_a_file_it_goes_to_stderr(site: Site, tmp_path: Path):
    env = {"AUDIO_LOG_FORMAT": "json", "AUDIO_LOG_DIR": "", "AUDIO_CONTACT": "https://example.org/"}
    run = crawl(tmp_path, f"url={site.url}/about.html", "depth=0", env=env)
    *lines, error = run.stderr.splitlines()
    assert error == "scrapy: error: no audio was found"
    assert "Spider closed (finished)" in [line["message"] for line in lines_of("\n".join(lines))]


def test_a_spider_that_raises_has_its_traceback_in_one_line_and_no_secret_is_in_it(site: Site, tmp_path: Path):
    (tmp_path / "finding.py").write_text("def find(document):\n    raise ValueError(document.url)\n")
    url = f"{site.url}/?token=swordfish"
    run = crawl(
        tmp_path,
        f"url={url}",
        settings={"AUDIO_LOG_FORMAT": "json", "AUDIO_FINDERS": '{"finding.find": 1}'},
        env={"PYTHONPATH": f"{Path(__file__).parents[1]}:{tmp_path}"},
    )
    failures = [line for line in lines_of(run.log) if "exception" in line]
    assert "ValueError" in failures[0]["exception"]
    assert "token=~" in run.log
    assert "swordfish" not in run.log


def test_another_format_is_refused(site: Site, tmp_path: Path):
    run = crawl(tmp_path, f"url={site.url}/", settings={"AUDIO_LOG_FORMAT": "yaml"})
    assert run.code == 2
    assert run.stderr == "scrapy: error: AUDIO_LOG_FORMAT=yaml: must be text or json\n"
    assert site.requests == []
