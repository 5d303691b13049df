"""A real Redis server on loopback, which keeps its data as README asks for, and can be stopped and started again."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import pytest
import redis

from tests.emulators.ports import free_port

MISSING = "redis-server is not installed; on Debian and Ubuntu: apt-get install redis-server"


class RedisServer:
    """A server of its own at ``url``, empty at first."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.client = redis.Redis(port=self._port, decode_responses=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.client.close()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start, and return when it answers; skip the test, or fail it in CI, where there is no server to start."""
        program = shutil.which("redis-server")
        if program is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
        command = [str(program), "--port", str(self._port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill the server: its data is on the disk."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False
