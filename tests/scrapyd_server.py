"""A real Scrapyd on loopback, in a folder of its own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import requests

from tests.crawling import QUICK, REPOSITORY

LOGIN = ("crawler", "swordfish")
PACKAGED = ("audiocrawler", "pyproject.toml", "setup.py", "scrapy.cfg", "README.md", "LICENSE")
"""What a package of the project is made of."""


def wait_until(condition: Callable[[], Any], timeout_s: float = 60) -> None:
    """Wait, and fail if it never comes true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def copy_of_the_project(folder: Path) -> Path:
    """Return a folder with the project as it is published, so that building it leaves nothing behind."""
    folder.mkdir()
    for name in PACKAGED:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPOSITORY / name, folder / name)
    return folder


class ScrapydServer:
    """Scrapyd with basic auth; ``configuration`` is added to its file, ``env`` to its environment."""

    def __init__(self, folder: Path, configuration: str = "", env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        folder.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = free.getsockname()
        port = self._address[1]
        self.url = f"http://127.0.0.1:{port}/"
        (folder / "scrapyd.conf").write_text(
            f"[scrapyd]\nhttp_port = {port}\nusername = {LOGIN[0]}\npassword = {LOGIN[1]}\n"
            f"items_dir = items\npoll_interval = 0.2\nmax_proc = 2\n{configuration}",
            encoding="utf-8",
        )
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AUDIO_", "SCRAPY"))}
        self._environment = {**clean, "PYTHONPATH": "", **(env or {})}

    def __enter__(self) -> Self:
        with (self.folder / "scrapyd.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scrapyd"], cwd=self.folder, env=self._environment, stdout=log, stderr=log
            )
        wait_until(self._takes_connections)  # its log says that it is available before that
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _takes_connections(self) -> bool:
        assert self._process.poll() is None, self.log
        with socket.socket() as connection:
            return connection.connect_ex(self._address) == 0

    @property
    def log(self) -> str:
        """Return what Scrapyd itself has logged."""
        return (self.folder / "scrapyd.log").read_text(encoding="utf-8")

    def ask(self, service: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to a GET."""
        return self._checked(requests.get(f"{self.url}{service}.json", params=parameters, auth=LOGIN, timeout=60))

    def tell(self, service: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to a POST."""
        return self._checked(requests.post(f"{self.url}{service}.json", data=parameters, auth=LOGIN, timeout=60))

    def schedule(self, url: str, jobid: str, *settings: str, **arguments: str) -> None:
        """Start a crawl of ``url``, without the pauses that loopback does not need."""
        quick = [f"{name}={value}" for name, value in QUICK.items()]
        self.tell(
            "schedule",
            project="audiocrawler",
            spider="audio",
            jobid=jobid,
            url=url,
            setting=[*quick, *settings],
            **arguments,
        )

    def has_finished(self, jobid: str) -> bool:
        """Tell whether the job has ended, in whatever way."""
        return jobid in [job["id"] for job in self.ask("listjobs", project="audiocrawler")["finished"]]

    def job_log(self, jobid: str) -> str:
        """Return a job's log, where Scrapyd shows it."""
        return self._text(f"logs/audiocrawler/audio/{jobid}.log")

    def items(self, jobid: str) -> list[dict[str, Any]]:
        """Return a job's items, where Scrapyd shows them."""
        return [json.loads(line) for line in self._text(f"items/audiocrawler/audio/{jobid}.jl").splitlines()]

    def _text(self, path: str) -> str:
        answer = requests.get(f"{self.url}{path}", auth=LOGIN, timeout=60)
        assert answer.status_code == 200
        return answer.content.decode("utf-8")

    @staticmethod
    def _checked(answer: requests.Response) -> dict[str, Any]:
        told: dict[str, Any] = answer.json()
        assert told["status"] == "ok", told
        return told
