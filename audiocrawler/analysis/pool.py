"""A pool of worker processes that measure files, so that a crash affects only the file that caused it."""

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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from audiocrawler.analysis.rules import EnergyRule, Limits
from audiocrawler.model.errors import AnalysisError, FileRejectedError

logger = logging.getLogger(__name__)

_PACKAGE_ROOT = Path(__file__).parents[2]
_LONGEST_ANSWER_BYTES = 1 << 22
_DYING_S = 2.0
_KEPT = frozenset({"PATH", "HOME", "LANG", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LD_PRELOAD"})
"""Environment variables a worker gets, beside PYTHON* and LC_*: the others may be secrets, which it does not need."""


@dataclass(frozen=True, slots=True)
class WorkerRules:
    """Resource limits of a worker, and the number of files after which it is replaced."""

    memory_bytes: int
    wall_timeout_s: float
    headers_cpu_s: float
    max_files: int


class WorkerDiedError(Exception):
    """Raised when a worker ended or was killed before it answered; the message says why."""


class TooLongError(WorkerDiedError):
    """Raised when a worker was killed because a file took too long; a retry would, too."""


class WorkerProcess:
    """A process that analyses one file at a time."""

    def __init__(self, process: Process, rules: WorkerRules) -> None:
        self._process = process
        self._rules = rules
        self._files = 0
        self._killed = False

    @classmethod
    async def start(cls, rules: WorkerRules) -> "WorkerProcess":
        """Start a worker without waiting until it has loaded its libraries."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # no module in the current directory may shadow a library
            "-m",
            "audiocrawler.analysis.worker",
            str(rules.memory_bytes),
            str(math.ceil(rules.wall_timeout_s)),
            str(rules.headers_cpu_s),
            stdin=PIPE,
            stdout=PIPE,
            env=_environment(),
            limit=_LONGEST_ANSWER_BYTES,
            process_group=0,  # Ctrl-C in the terminal is for the crawl, which stops its workers itself
        )
        return cls(process, rules)

    @property
    def is_usable(self) -> bool:
        """Return whether the process can take another file."""
        return not self._killed and self._process.returncode is None and self._files < self._rules.max_files

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the columns; raises AnalysisError if the worker refuses the file, WorkerDiedError if it crashes."""
        self._files += 1
        try:
            async with asyncio.timeout(self._rules.wall_timeout_s):
                answer = await self._exchange(request)
        except TimeoutError:
            await self.end()
            raise TooLongError(f"took longer than {self._rules.wall_timeout_s:g} s") from None
        except asyncio.CancelledError:
            self._kill()  # or the next request would get its answer
            raise
        if answer is None:
            raise await self._cause_of_death()
        return _columns(answer)

    async def end(self) -> None:
        """Kill the process and wait until it has ended."""
        self._kill()
        await self._process.wait()

    async def _exchange(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer, None if the process ended without one."""
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
            # A kill before asyncio has noticed the end would lose the exit status.
            await asyncio.wait_for(self._process.wait(), _DYING_S)
        await self.end()
        status = self._process.returncode or 0
        if status == -signal.SIGXCPU:
            return TooLongError(f"took longer than {self._rules.wall_timeout_s:g} s")
        if status == -signal.SIGPROF:
            return TooLongError(f"headers and tags took longer than {self._rules.headers_cpu_s:g} s to read")
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return WorkerDiedError(f"decoder crashed ({how})")

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


_ATTEMPTS = 2


class AnalysisPool:
    """A fixed number of workers, each with one file at a time; a file that crashes a worker is retried once.

    ``wall_timeout_s`` bounds the time and the CPU time of a file, ``headers_cpu_s`` the CPU time before its first
    sample, ``memory_bytes`` the address space of a worker; a worker is replaced after ``files_per_worker`` files.
    """

    def __init__(  # noqa: PLR0913 - what a crawl sets, by name
        self,
        workers: int,
        *,
        limits: Limits,
        energy: EnergyRule,
        wall_timeout_s: float = 1800.0,
        headers_cpu_s: float = 60.0,
        memory_bytes: int = 1 << 30,
        files_per_worker: int = 1000,
    ) -> None:
        rules = WorkerRules(memory_bytes, wall_timeout_s, headers_cpu_s, files_per_worker)
        self._orders = {"limits": asdict(limits), "energy": asdict(energy)}
        self._slots = [_Slot(rules) for _ in range(workers)]
        self._idle: asyncio.Queue[_Slot] = asyncio.Queue()
        for slot in self._slots:
            self._idle.put_nowait(slot)

    @property
    def size(self) -> int:
        """Return how many files can be analysed at a time."""
        return len(self._slots)

    def start(self) -> None:
        """Start the workers without waiting for them; needs a current event loop, running or not."""
        for slot in self._slots:
            slot.start()

    async def analyse(self, path: Path) -> dict[str, Any]:
        """Return the measured columns of a file, as ``audiocrawler.analysis.analyse`` does in this process.

        Raises AnalysisError if the file cannot be measured or has crashed two workers, FileRejectedError if no worker
        can be started or the pool is closed.
        """
        slot = await self._idle.get()
        try:
            return await self._analyse_in(slot, {"path": str(path), **self._orders})
        finally:
            self._idle.put_nowait(slot)

    async def close(self) -> None:
        """Kill all workers."""
        await asyncio.gather(*(slot.close() for slot in self._slots))

    async def _analyse_in(self, slot: "_Slot", request: dict[str, Any]) -> dict[str, Any]:
        cause = ""
        for attempt in range(_ATTEMPTS):
            worker = await slot.worker()
            try:
                return await worker.ask(request)
            except TooLongError as error:
                raise AnalysisError(str(error)) from None
            except WorkerDiedError as error:
                cause = str(error)
                logger.warning("%s: attempt %d of %d: %s", request["path"], attempt + 1, _ATTEMPTS, cause)
        raise AnalysisError(f"{cause}, {_ATTEMPTS} attempts")


class _Slot:
    """One worker of the pool, running or starting; replaced when it ends."""

    def __init__(self, rules: WorkerRules) -> None:
        self._rules = rules
        self._starting: asyncio.Task[WorkerProcess] | None = None
        self._closed = False

    def start(self) -> asyncio.Task[WorkerProcess]:
        loop = asyncio.get_event_loop()  # called by a reactor just before it runs its loop
        self._starting = loop.create_task(WorkerProcess.start(self._rules))
        return self._starting

    async def worker(self) -> WorkerProcess:
        """Return a worker that can take a file, a new one if the last has ended or reached its number of files."""
        worker = await self._current()
        if worker.is_usable:
            return worker
        await worker.end()
        self._starting = None
        return await self._current()

    async def close(self) -> None:
        self._closed = True
        if self._starting:
            with suppress(OSError):  # could not be started
                await (await self._starting).end()

    async def _current(self) -> WorkerProcess:
        if self._closed:
            raise FileRejectedError("the crawl stopped before this file was measured; run it again")
        try:
            return await asyncio.shield(self._starting or self.start())
        except OSError as error:
            self._starting = None
            raise FileRejectedError(f"could not start an analysis process: {error}; check its limits") from error


MAX_WORKERS = 4


def usable_cores() -> int:
    """Return the number of cores allowed by affinity and cgroup quota, at most MAX_WORKERS."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _cgroup_quota(), MAX_WORKERS))


def _cgroup_quota() -> int:
    """Return the whole cores allowed by cgroup v2's cpu.max, MAX_WORKERS if unlimited."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return MAX_WORKERS
    return MAX_WORKERS if quota == "max" else max(1, int(quota) // int(period))
