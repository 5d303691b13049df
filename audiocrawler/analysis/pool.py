"""Paths in, measured columns out, from worker processes that may die without harm to any other file."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audiocrawler.analysis.energy import EnergyRule
from audiocrawler.analysis.limits import Limits
from audiocrawler.analysis.process import TooLongError, WorkerDiedError, WorkerProcess, WorkerRules
from audiocrawler.errors import AnalysisError, FileRejectedError

logger = logging.getLogger(__name__)

_ATTEMPTS = 2


class AnalysisPool:
    """A fixed number of workers, each with one file at a time; a file on which a worker dies is tried once more.

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

    def start(self) -> None:
        """Start the workers without waiting for them; needs a current event loop, which may start to run later."""
        for slot in self._slots:
            slot.start()

    async def analyse(self, path: Path) -> dict[str, Any]:
        """Return the measured columns of a file, as ``audiocrawler.analysis.analyse`` does in this process.

        Raises AnalysisError if the file cannot be measured or two workers died on it, FileRejectedError if no worker
        can be started or the pool is closed.
        """
        slot = await self._idle.get()
        try:
            return await self._analyse_in(slot, {"path": str(path), **self._orders})
        finally:
            self._idle.put_nowait(slot)

    async def close(self) -> None:
        """End all workers at once, whatever they are doing."""
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
                logger.warning("%s: attempt %d of %d cost a worker", request["path"], attempt + 1, _ATTEMPTS)
        raise AnalysisError(cause)


class _Slot:
    """The place of one worker: the one that lives there, or the one that is being started."""

    def __init__(self, rules: WorkerRules) -> None:
        self._rules = rules
        self._starting: asyncio.Task[WorkerProcess] | None = None
        self._closed = False

    def start(self) -> asyncio.Task[WorkerProcess]:
        loop = asyncio.get_event_loop()  # a reactor may call this just before it runs its loop
        self._starting = loop.create_task(WorkerProcess.start(self._rules))
        return self._starting

    async def worker(self) -> WorkerProcess:
        """Return a worker that can take a file, a new one if the last has died or has served its time."""
        worker = await self._current()
        if worker.is_fit:
            return worker
        await worker.end()
        self._starting = None
        return await self._current()

    async def close(self) -> None:
        self._closed = True
        if self._starting:
            with suppress(OSError):  # it could not be started
                await (await self._starting).end()

    async def _current(self) -> WorkerProcess:
        if self._closed:
            raise FileRejectedError("the analysis was closed before this file was measured; run the crawl again")
        try:
            return await asyncio.shield(self._starting or self.start())
        except OSError as error:
            self._starting = None
            raise FileRejectedError(f"no analysis process can be started, check its limits: {error}") from error
