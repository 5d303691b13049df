"""Runs ``scrapy browse`` on a collection, asks it over HTTP, and ends it as its user does."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from tests.crawling import finish, start
from tests.forking import Forked


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    url: str
    process: Forked

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Send a request whose path is as it stands here; in the names of headers _ is -."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.putrequest(method, path, skip_host="Host" in named)
            for name, value in named.items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(
                response.status, {name.lower(): each for name, each in response.getheaders()}, response.read()
            )


@contextmanager
def browsing(folder: Path, env: Mapping[str, str] | None = None, expected_stderr: str = "") -> Iterator[Served]:
    """Serve the collection of a folder; Ctrl-C must end it with 0."""
    process = start(folder, command=("browse", "--port", "0"), env=env)
    line = process.stdout.readline()
    if not line:
        raise AssertionError(finish(process, folder).stderr)
    try:
        yield Served(line.split()[0], process)
    except BaseException:
        process.kill()
        raise
    process.send_signal(signal.SIGINT)
    done = finish(process, folder, 20)
    assert (done.code, done.stderr) == (0, expected_stderr)
