"""``scrapy doctor`` as its user sees it."""

import json
import re
import time
from email.utils import formatdate
from pathlib import Path

from tests.crawling import Run, crawl
from tests.strange_server import Wire, strange


def doctor(folder: Path, *words: str, settings: dict[str, str] | None = None) -> Run:
    """Run it behind a proxy, so that no name is looked up and a machine without a network is as good as any."""

    def answer(wire: Wire, path: str) -> None:
        wire.body("", f"Date: {formatdate(time.time(), usegmt=True)}")

    with strange(answer) as server:
        env = {"http_proxy": server.url, "https_proxy": server.url, "no_proxy": ""}
        return crawl(folder, command=("doctor", *words), settings=settings, env=env)


def test_a_line_a_check_and_nothing_left_behind(tmp_path: Path) -> None:
    run = doctor(tmp_path)
    assert run.code == 0, run.stdout
    *checks, total = run.stdout.splitlines()
    assert all(re.match(r"(ok      |missing ) \S+ +\S", line) for line in checks)
    assert re.fullmatch(r"\d+ ok, \d+ missing, 0 broken", total)
    names = [line.split()[1] for line in checks]
    assert names[:2] == ["python", "packages"]
    assert {"decoder", "worker", "settings", "contact", "disk", "store", "database", "chromium", "clock"} < set(names)
    assert "AUDIO_CONTACT=" in next(line for line in checks if "contact" in line)
    assert list(tmp_path.iterdir()) == []


def test_something_broken_is_exit_code_2_and_json_tells_programs(tmp_path: Path) -> None:
    run = doctor(tmp_path, "--json", settings={"AUDIO_MIN_FREE_BYTES": "1e18", "AUDIO_CONTACT": "me@a.example"})
    result = json.loads(run.stdout)
    assert (run.code, result["broken"]) == (2, 1)
    (broken,) = [check for check in result["checks"] if check["state"] == "broken"]
    assert broken["name"] == "disk"
    assert "free some space" in broken["remedy"]
    assert result["ok"] + result["missing"] + result["broken"] == len(result["checks"])


def test_wrong_settings_are_one_of_the_checks(tmp_path: Path) -> None:
    run = doctor(tmp_path, settings={"AUDIO_WORKERS": "many"})
    assert run.code == 2
    assert re.search(r"^broken   settings    AUDIO_WORKERS=many: must be", run.stdout, re.MULTILINE)
    assert "ok       worker" in run.stdout
    assert "Traceback" not in run.stderr
