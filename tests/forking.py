"""Crawls without their half second of imports: a process that has Scrapy loaded forks one for each command line.

A fork differs from the bare command in nothing that a test looks at: it has its own process, session, folder,
environment and command line, loads the settings by itself, and can be killed. The tests that need the bare command
(tests/test_schedule.py, tests/test_scrapyd.py, tests/commands) start it themselves.
"""

import array
import importlib
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from scrapy.settings.default_settings import EXTENSIONS_BASE
from scrapy.utils.misc import walk_modules

LOADED_BEFORE = (
    *("scrapy.cmdline", "scrapy.crawler", "scrapy.core.engine", "scrapy.utils.asyncgen", "lxml.html", "pycurl"),
    *("audiocrawler.commands.crawl", "audiocrawler.commands.retry", "audiocrawler.spiders.audio"),
    *("audiocrawler.pipelines", "audiocrawler.scheduler.scheduler", "audiocrawler.extensions", "audiocrawler.terminal"),
    *("audiocrawler.frontier.sqlite", "audiocrawler.storage.local", "audiocrawler.warehouse.sqlite"),
    *("audiocrawler.report.progress", "twisted.conch.telnet"),
)
LOADED_WHOLE = (
    *("scrapy.commands", "scrapy.downloadermiddlewares", "scrapy.spidermiddlewares"),
    *("audiocrawler.commands", "audiocrawler.discovery", "audiocrawler.fetch"),
    *("audiocrawler.middlewares", "audiocrawler.spiders"),
)
"""Packages of which every module is loaded."""
NEVER_LOADED = (
    *("twisted.internet.reactor", "audiocrawler.settings"),
    *("av", "numpy", "google.cloud", "playwright", "redis"),
)
"""A reactor, the settings, which read the environment, and what a crawl loads when it needs it."""
REMOTE = ("google.cloud.bigquery", "google.cloud.storage", "redis")
"""What only those load whose collection or frontier is on another machine."""
REPOSITORY = Path(__file__).parents[1]


class Forked:
    """A process of the server's, with what the tests use of ``subprocess.Popen``."""

    def __init__(self, server: str, argv: list[str], cwd: Path, env: dict[str, str]) -> None:
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        self._keeper = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._keeper.connect(server)
        spec = json.dumps({"argv": argv, "cwd": str(cwd), "env": env}).encode()
        ends = array.array("i", [out_end, err_end])
        self._keeper.sendmsg([len(spec).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, ends)])
        self._keeper.sendall(spec)
        os.close(out_end)
        os.close(err_end)
        self.stdout: IO[str] = os.fdopen(out, encoding="utf-8")
        self.stderr: IO[str] = os.fdopen(err, encoding="utf-8")
        self.pid = int.from_bytes(_exactly(self._keeper, 8), "big")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or the signal's number below 0; None while it runs."""
        if self.returncode is None and select.select([self._keeper], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when it has ended; raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._keeper], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            self.returncode = os.waitstatus_to_exitcode(int.from_bytes(_exactly(self._keeper, 8), "big"))
            self._keeper.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return all that it prints until it ends; raises subprocess.TimeoutExpired."""
        until = None if timeout is None else time.monotonic() + timeout
        printed: dict[int, list[bytes]] = {each.fileno(): [] for each in (self.stdout, self.stderr)}
        open_fds = list(printed)
        while open_fds:
            left_s = None if until is None else max(0.0, until - time.monotonic())
            ready = select.select(open_fds, [], [], left_s)[0]
            if not ready:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            for fd in ready:
                data = os.read(fd, 65_536)
                printed[fd].append(data)
                if not data:
                    open_fds.remove(fd)
        out, err = (b"".join(pieces).decode() for pieces in printed.values())
        self.wait(None if until is None else max(1.0, until - time.monotonic()))
        self.stdout.close()
        self.stderr.close()
        return out, err

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end, unless it has ended."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """Starts the server with the first command, one for each process of pytest; it ends with that process.

    It has ``loaded`` these modules, too.
    """

    def __init__(self, *loaded: str) -> None:
        self._loaded = loaded
        self._path: str | None = None

    def start(self, argv: list[str], cwd: Path, env: dict[str, str]) -> Forked:
        """Start ``scrapy`` with these words after the program's name."""
        if self._path is None:
            self._path = self._started()
        return Forked(self._path, argv, cwd, env)

    def _started(self) -> str:
        path = str(Path(tempfile.mkdtemp(prefix="fork-")) / "server")
        words = [sys.executable, "-m", "tests.forking", path, *self._loaded]
        server = subprocess.Popen(words, cwd=REPOSITORY, stdin=subprocess.DEVNULL, start_new_session=True)
        until = time.monotonic() + 60
        while not Path(path).exists():
            assert server.poll() is None, "the fork server has ended"
            assert time.monotonic() < until, "the fork server has not come up"
            time.sleep(0.02)
        return path


def serve(path: str, *loaded: str) -> dict[str, Any] | None:
    """Fork for each connection until the process that started this one is gone; a fork returns what it is to run."""
    load()
    for name in loaded:
        importlib.import_module(name)
    parent = os.getppid()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(f"{path}.new")
        listening.listen(64)
        Path(f"{path}.new").rename(path)
        while os.getppid() == parent:
            if not select.select([listening], [], [], 1.0)[0]:
                continue
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                return _keep(connection)
            connection.close()
    return None


def load() -> None:
    """Load what nearly every command does."""
    for name in (*LOADED_BEFORE, *(path.rpartition(".")[0] for path in EXTENSIONS_BASE)):
        importlib.import_module(name)
    for name in LOADED_WHOLE:
        walk_modules(name)
    assert [name for name in NEVER_LOADED if name in sys.modules] == []


def _keep(connection: socket.socket) -> dict[str, Any] | None:
    """Fork the process that is wanted, and tell its id and its end; the fork returns what it is to run."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    fds = array.array("i")
    head, ancillary, _, _ = connection.recvmsg(8, socket.CMSG_SPACE(2 * fds.itemsize))
    fds.frombytes(ancillary[0][2][: 2 * fds.itemsize])
    spec: dict[str, Any] = json.loads(_exactly(connection, int.from_bytes(head, "big")))
    begun, beginning = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()  # told by the end of the pipe: a signal to its group may follow at once
        os.dup2(fds[0], 1)
        os.dup2(fds[1], 2)
        os.closerange(3, 256)
        return spec
    for fd in (*fds, beginning):
        os.close(fd)
    os.read(begun, 1)
    with suppress(BrokenPipeError):
        connection.sendall(pid.to_bytes(8, "big"))
        connection.sendall(os.waitpid(pid, 0)[1].to_bytes(8, "big"))
    os._exit(0)


def _exactly(connection: socket.socket, size_bytes: int) -> bytes:
    data = b""
    while len(data) < size_bytes:
        more = connection.recv(size_bytes - len(data))
        assert more, "the fork server is gone"
        data += more
    return data


def become(spec: dict[str, Any]) -> None:
    """Be as ``python -m scrapy`` is when it begins."""
    random.seed()
    os.chdir(spec["cwd"])
    os.environ.clear()
    os.environ.update(spec["env"])
    sys.argv = ["scrapy", *spec["argv"]]
    sys.path[:0] = [spec["cwd"], *(each for each in spec["env"].get("PYTHONPATH", "").split(os.pathsep) if each)]
    time.tzset()


if __name__ == "__main__" and (wanted := serve(*sys.argv[1:])):
    become(wanted)
    from scrapy.cmdline import execute

    execute()
