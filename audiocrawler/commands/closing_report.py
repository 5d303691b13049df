"""Write the report at the end of a crawl, in a process of its own to keep the crawl's memory bounded."""

import json
import os
import subprocess
import sys

from scrapy.crawler import Crawler
from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

from audiocrawler.commands.report import DEFAULT
from audiocrawler.crawl.exit_codes import was_stopped
from audiocrawler.crawl.places import warehouse_path
from audiocrawler.model.settings import AudioSettings
from audiocrawler.model.text import one_line
from audiocrawler.report.messages import say

TIMEOUT_S = 900
MAX_SHOWN = 300


def closing_report(crawler: Crawler, settings: BaseSettings, *, is_scheduled: bool) -> str | None:
    """Write the page named by AUDIO_REPORT, and return its path; None if none is wanted or it could not be written.

    A Scrapyd job only writes one if the setting names it. A crawl that was stopped writes none: whoever
    stopped it is waiting for the prompt.
    """
    path = _path(settings, is_scheduled=is_scheduled)
    if not path or was_stopped(crawler.stats.get_value("finish_reason")):
        return None
    command = [sys.executable, "-m", "scrapy", "report", "--out", path, *_given(settings)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # a deployed egg is on no other
    try:
        done = subprocess.run(  # noqa: S603 - this program
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        failure = one_line(done.stderr, MAX_SHOWN) if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        failure = one_line(str(error), MAX_SHOWN)
    if failure is None:
        return path
    say(
        f"the report could not be written: {failure}; run `scrapy report`, or turn it off with AUDIO_REPORT=",
        sys.stderr,
    )
    return None


def _path(settings: BaseSettings, *, is_scheduled: bool) -> str | None:
    given = AudioSettings.of(settings).report
    if given is not None:
        return given
    return None if is_scheduled or warehouse_path(settings) is None else str(DEFAULT)


def _given(settings: BaseSettings) -> list[str]:
    """Return the AUDIO_ settings given on the command line, as options for the next command."""
    words = []
    for name in sorted(map(str, settings)):
        if name.startswith("AUDIO_") and (settings.getpriority(name) or 0) > SETTINGS_PRIORITIES["project"]:
            value = settings[name]
            text = value if isinstance(value, str) else json.dumps(value)
            words += ["-s", f"{name}={text}"]
    return words
