"""One worker process as the pool sees it: start it, ask it, end it."""

import asyncio
import base64
import json
import logging
import math
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiocrawler.errors import AnalysisError

logger = logging.getLogger(__name__)

_PACKAGE_ROOT = Path(__file__).parents[2]
_LONGEST_ANSWER_BYTES = 1 << 22
_DYING_S = 2.0
_KEPT = frozenset({"PATH", "HOME", "LANG", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LD_PRELOAD"})
"""What of the environment a worker gets, beside PYTHON* and LC_*: it may hold keys, and a worker needs none."""


@dataclass(frozen=True, slots=True)
class WorkerRules:
    """What a worker may use, and after how many files it is replaced."""

    memory_bytes: int
    wall_timeout_s: float
    headers_cpu_s: float
    max_files: int


class WorkerDiedError(Exception):
    """Raised when a worker ended, or had to be ended, before it answered; the message says why."""


class TooLongError(WorkerDiedError):
    """Raised when a worker had to be ended because a file took more time than it may; another try would, too."""


class WorkerProcess:
    """A process that analyses one file at a time."""

    def __init__(self, process: Process, rules: WorkerRules) -> None:
        self._process = process
        self._rules = rules
        self._files = 0
        self._killed = False

    @classmethod
    async def start(cls, rules: WorkerRules) -> "WorkerProcess":
        """Start a worker, without waiting until it has loaded its libraries."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # no module of the current directory takes the place of a library
            "-m",
            "audiocrawler.analysis.worker",
            str(rules.memory_bytes),
            str(math.ceil(rules.wall_timeout_s)),
            str(rules.headers_cpu_s),
            stdin=PIPE,
            stdout=PIPE,
            env=_environment(),
            limit=_LONGEST_ANSWER_BYTES,
            process_group=0,  # Ctrl-C in the terminal is for the crawl, which ends its workers itself
        )
        return cls(process, rules)

    @property
    def is_fit(self) -> bool:
        """Whether the process can take another file."""
        return not self._killed and self._process.returncode is None and self._files < self._rules.max_files

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the columns; raises AnalysisError if the worker refuses the file, WorkerDiedError if it dies on it."""
        self._files += 1
        try:
            async with asyncio.timeout(self._rules.wall_timeout_s):
                answer = await self._exchange(request)
        except TimeoutError:
            await self.end()
            raise TooLongError(f"took longer than {self._rules.wall_timeout_s:g} s") from None
        except asyncio.CancelledError:
            self._kill()  # its answer must not meet the next request
            raise
        if answer is None:
            raise await self._cause_of_death()
        return _columns(answer)

    async def end(self) -> None:
        """End the process at once and wait until it is gone."""
        self._kill()
        await self._process.wait()

    async def _exchange(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer, None if the process ends before it has given one."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            await self._process.stdin.drain()
            answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        except (ConnectionError, ValueError):
            return None
        return answer

    async def _cause_of_death(self) -> WorkerDiedError:
        with suppress(TimeoutError):
            # A kill that comes before asyncio has seen the end would take away the exit status.
            await asyncio.wait_for(self._process.wait(), _DYING_S)
        await self.end()
        status = self._process.returncode or 0
        if status == -signal.SIGXCPU:
            return TooLongError(f"took longer than {self._rules.wall_timeout_s:g} s")
        if status == -signal.SIGPROF:
            return TooLongError(f"its headers and tags took longer than {self._rules.headers_cpu_s:g} s to read")
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return WorkerDiedError(f"the analyser died on it twice ({how})")

    def _kill(self) -> None:
        self._killed = True
        if self._process.returncode is None:
            self._process.kill()


def _environment() -> dict[str, str]:
    search_path = os.pathsep.join(filter(None, [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH")]))
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(("PYTHON", "LC_"))}
    return kept | {"PYTHONPATH": search_path, "OPENBLAS_NUM_THREADS": "1"}


def _columns(answer: dict[str, Any]) -> dict[str, Any]:
    if "traceback" in answer:
        logger.error("%s", answer["traceback"])
    if "error" in answer:
        raise AnalysisError(answer["error"])
    return answer | {"waveform": base64.b64decode(answer["waveform"])}
