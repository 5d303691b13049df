"""The log file of a crawl has its crawl_id for a name, as its record and its rows have, also when it is resumed."""

import json
import logging
import signal
from pathlib import Path

import pytest

from audiocrawler.crawl.log_file import LogFile
from tests.crawling import crawl, finish, start
from tests.site.answers import Options
from tests.site.server import Site
from tests.test_kill import tones, wait_until


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_log_record_and_rows_of_a_resumed_crawl_have_one_id(tmp_path: Path, log_format: str) -> None:
    settings = {"AUDIO_LOG_FORMAT": log_format}
    with Site(Options(many_delay_s=0.2)) as site:
        process = start(tmp_path, f"url={site.url}/many/", "limit=12", settings=settings)
        wait_until(lambda: sum(tones(site).values()) >= 6)
        process.send_signal(signal.SIGINT)
        assert finish(process, tmp_path).code == 130
        (first,) = (tmp_path / "data/logs").iterdir()
        begun = first.read_bytes()
        run = crawl(tmp_path, f"url={site.url}/many/", "limit=12", settings=settings)
    (record,) = (tmp_path / "data/crawls").iterdir()
    (crawl_id,) = {row["crawl_id"] for row in (*run.audio, *run.sources.values())}
    second = tmp_path / f"data/logs/{crawl_id}.2.log"
    assert (record.stem, first.name) == (crawl_id, f"{crawl_id}.log")
    assert sorted((tmp_path / "data/logs").iterdir()) == sorted([first, second])
    assert first.read_bytes() == begun
    for log in (first, second):
        text = log.read_text(encoding="utf-8")
        assert f"crawl_id: {crawl_id}" in text
        assert "Spider closed" in text
    assert f"data/logs/{second.name}" in run.stdout
    assert json.loads(record.read_text(encoding="utf-8"))["settings"]["LOG_FILE"] == f"data/logs/{second.name}"


def test_a_log_that_the_user_named_keeps_its_name(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/about.html", "_job=monday", settings={"LOG_FILE": "my.log"})
    assert "log         my.log" in run.stdout
    assert "crawl_id: monday" in (tmp_path / "my.log").read_text(encoding="utf-8")
    assert not (tmp_path / "data/logs").exists()


def test_no_log_is_overwritten_and_an_open_one_is_written_under_its_new_name(tmp_path: Path) -> None:
    names = [LogFile(tmp_path, "../monday").path.name for _ in range(3)]
    assert names == ["_monday.log", "_monday.2.log", "_monday.3.log"]
    log = LogFile(tmp_path, "new")
    handler = logging.FileHandler(log.path)
    logging.root.addHandler(handler)
    try:
        logging.root.error("before")
        log.rename("../monday")
        handler.close()  # as when logging is configured again: the next line opens the file by its name
        logging.root.error("after")
    finally:
        logging.root.removeHandler(handler)
        handler.close()
    assert log.path.name == "_monday.4.log"
    assert log.path.read_text(encoding="utf-8") == "before\nafter\n"
    assert not (tmp_path / "new.log").exists()
