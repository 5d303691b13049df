"""Runs the real command in a folder of its own, and reads what it left there."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.forking import REMOTE, REPOSITORY, Forked, ForkServer

_FORKS, _REMOTE_FORKS = ForkServer(), ForkServer(*REMOTE)
_REMOTE_SCHEMES = ("gs://", "bigquery://", "redis://")
__all__ = ["QUICK", "REPOSITORY", "Run", "crawl", "environment", "finish", "processes_in", "start", "words_of"]
QUICK = {
    "DOWNLOAD_DELAY": "0",
    "AUTOTHROTTLE_ENABLED": "False",
    "AUDIO_ALLOW_ADDRESSES": "127.0.0.0/8",
    "AUDIO_WORKERS": "1",
    "RETRY_TIMES": "2",
    "AUDIO_REPORT": "",
}
"""Loopback needs no pauses, the site has a second host there, few files need no second worker to start, and what fails
for good need not be waited for as long as elsewhere. Few tests look at the page that a crawl writes at its end.
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished crawl: its exit code, what it printed, and its folder."""

    code: int
    stdout: str
    stderr: str
    folder: Path

    def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query on the crawl's database."""
        with closing(sqlite3.connect(self.folder / "data/audio.db")) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(sql, values)]

    @property
    def audio(self) -> list[dict[str, Any]]:
        """Return all rows of audio_metadata."""
        return self.query("SELECT * FROM audio_metadata ORDER BY gcp_url")

    @property
    def sources(self) -> dict[str, dict[str, Any]]:
        """Return all rows of audio_sources by their URL."""
        return {row["source_url"]: row for row in self.query("SELECT * FROM audio_sources")}

    @property
    def objects(self) -> list[Path]:
        """Return the files in the store."""
        return sorted(path for path in (self.folder / "data/objects").rglob("*") if path.is_file())

    @property
    def log(self) -> str:
        """Return what all crawls of this folder logged."""
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("data/logs/*")))


def words_of(
    command: tuple[str, ...] = ("crawl", "audio"), *arguments: str, settings: Mapping[str, str] | None = None
) -> list[str]:
    """Return the command line."""
    words = [sys.executable, "-m", "scrapy", *command]
    words += [word for argument in arguments for word in ("-a", argument)]
    return words + [word for name, value in {**QUICK, **(settings or {})}.items() for word in ("-s", f"{name}={value}")]


def environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a command, without settings that the tests have been started with."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUDIO_")},
        "SCRAPY_SETTINGS_MODULE": "audiocrawler.settings",
        "PYTHONPATH": str(REPOSITORY),
        **(env or {}),
    }


def run_apart(folder: Path, *command: str | Path, **env: str) -> Run:
    """Run a command in the folder, with no setting or project of ours but what ``env`` gives."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AUDIO_", "SCRAPY_"))}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**clean, "PYTHONPATH": str(REPOSITORY), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Run(done.returncode, done.stdout, done.stderr, folder)


def start(
    folder: Path,
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    command: tuple[str, ...] = ("crawl", "audio"),
) -> Forked:
    """Start ``scrapy crawl audio`` with ``-a`` for each of ``arguments``, in a process group of its own."""
    words, variables = words_of(command, *arguments, settings=settings), environment(env)
    is_remote = any(scheme in text for text in (*words, *variables.values()) for scheme in _REMOTE_SCHEMES)
    return (_REMOTE_FORKS if is_remote else _FORKS).start(words[3:], folder, variables)


def crawl(folder: Path, *arguments: str, timeout_s: float = 120, **how: Any) -> Run:
    """Run a crawl to its end; ``how`` goes to ``start``, its settings come on top of QUICK."""
    return finish(start(folder, *arguments, **how), folder, timeout_s)


def finish(process: Forked, folder: Path, timeout_s: float = 120) -> Run:
    """Wait for a crawl to end."""
    try:
        stdout, stderr = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    assert process.returncode is not None
    return Run(process.returncode, stdout, stderr, folder)


def processes_in(folder: Path) -> list[int]:
    """Return the ids of the processes whose current directory this is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except OSError:  # it ended, or is not ours
            continue
    return found
