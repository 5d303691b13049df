"""Workers that die convict one file only, and none outlives the crawl (promises 1, 2 and 5)."""

import asyncio
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest

from audiocrawler.analysis import AnalysisPool, EnergyRule, Limits, analyse
from audiocrawler.model.errors import AnalysisError, FileRejectedError
from tests.analysis.sounds import tone

PATIENCE_S = 20


def silent_wav(path: Path, duration_s: int) -> Path:
    """Digital silence that takes no space on the disk; an hour of it takes some seconds to analyse."""
    size_bytes = duration_s * 192_000
    header = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", size_bytes + 36, b"WAVEfmt ", 16, 1, 2, 48_000, 192_000,
                         4, 16, b"data", size_bytes)  # fmt: skip
    path.write_bytes(header)
    os.truncate(path, size_bytes + len(header))
    return path


@pytest.fixture
def hours_long(tmp_path: Path) -> Path:
    """Hours that take half a minute to analyse."""
    return silent_wav(tmp_path / "hours.wav", 20_000)


@pytest.fixture
def short_files(wav):
    return [wav(tone(200 + 50 * n, 0.5, 0.3), name=f"{n}.wav") for n in range(10)]


def measured(
    paths: list[Path],
    *,
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
    workers: int = 2,
    **settings: Any,
) -> list[Any]:
    """Analyse all paths in a pool, ``beside`` running at the same time; rows and errors in the order of the paths."""

    async def run() -> list[Any]:
        pool = AnalysisPool(workers, limits=Limits(), energy=EnergyRule(), **settings)
        pool.start()
        helper = asyncio.create_task(beside()) if beside else None
        try:
            return list(await asyncio.gather(*map(pool.analyse, paths), return_exceptions=True))
        finally:
            if helper:
                helper.cancel() or helper.result()
            await pool.close()

    return asyncio.run(run())


def is_worker(process: psutil.Process) -> bool:
    try:
        return "audiocrawler.analysis.worker" in process.cmdline()
    except psutil.Error:  # it has just ended
        return False


def workers_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children() if is_worker(child)]


def has_open(process: psutil.Process, path: Path) -> bool:
    try:
        return any(opened.path == str(path) for opened in process.open_files())
    except psutil.Error:
        return False


async def send_to_worker_with(path: Path, signal_number: int, *, times: int) -> None:
    """Wait until a worker has the file open, send it a signal, and again for as many different workers."""
    hit: set[int] = set()
    while len(hit) < times:
        for worker in workers_of(os.getpid()):
            if worker.pid not in hit and has_open(worker, path):
                worker.send_signal(signal_number)
                hit.add(worker.pid)
        await asyncio.sleep(0.01)


def test_rows_are_those_of_an_analysis_in_this_process(formats):
    paths = sorted(formats.iterdir())
    assert measured(paths) == [analyse(path) for path in paths]


def test_a_refusal_comes_back_with_its_reason(tmp_path, beep):
    page = tmp_path / "page.mp3"
    page.write_bytes(b"<html></html>")
    refused, row = measured([page, beep], workers=1)
    assert isinstance(refused, AnalysisError)
    assert str(refused) == "an HTML page, not audio"
    assert row["duration_ms"] == 500


def test_limits_and_rule_reach_the_workers(beep):
    async def run(limits: Limits, energy: EnergyRule) -> dict[str, Any]:
        pool = AnalysisPool(1, limits=limits, energy=energy)
        try:
            return await pool.analyse(beep)
        finally:
            await pool.close()

    assert asyncio.run(run(Limits(), EnergyRule(loudness_dbfs=0)))["classification"] == "Medium Energy"
    with pytest.raises(AnalysisError, match=r"longer than 0\.1 s"):
        asyncio.run(run(Limits(max_duration_s=0.1), EnergyRule()))


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_file_on_which_two_workers_die_is_refused_and_all_others_go_on(hours_long, short_files, signal_number):
    def kill():
        return send_to_worker_with(hours_long, signal_number, times=2)

    refused, *rows = measured([hours_long, *short_files], beside=kill)
    assert isinstance(refused, AnalysisError)
    assert str(refused) == f"decoder crashed (signal {int(signal_number)}), 2 attempts"
    assert [row["duration_ms"] for row in rows] == [300] * len(short_files)


def test_a_file_whose_worker_is_killed_once_is_measured(wav, short_files):
    minutes = wav(tone(440, 0.5, 200, channels=2), name="minutes.wav")

    def kill():
        return send_to_worker_with(minutes, signal.SIGKILL, times=1)

    row, *rows = measured([minutes, *short_files], beside=kill)
    assert row == analyse(minutes)
    assert all(isinstance(row, dict) for row in rows)


def test_idle_workers_that_die_convict_no_file(short_files):
    async def run() -> list[Any]:
        pool = AnalysisPool(2, limits=Limits(), energy=EnergyRule())
        await pool.analyse(short_files[0])
        for worker in workers_of(os.getpid()):
            worker.kill()
        rows = await asyncio.gather(*map(pool.analyse, short_files))
        await pool.close()
        return rows

    assert len(asyncio.run(run())) == len(short_files)


def test_a_file_that_takes_too_long_is_refused(hours_long, short_files):
    refused, *rows = measured([hours_long, *short_files], wall_timeout_s=6)
    assert str(refused) == "took longer than 6 s"
    assert all(isinstance(row, dict) for row in rows)


def test_a_file_that_needs_too_much_memory_is_refused(tmp_path, formats, short_files):
    picture_bytes = 250_000_000
    tag_size = bytes(((picture_bytes + 10) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    picture_head = b"APIC" + picture_bytes.to_bytes(4, "big") + b"\x00\x00" + b"\x00image/jpeg\x00\x03\x00\xff\xd8\xff"
    greedy = tmp_path / "greedy.mp3"
    with greedy.open("wb") as file:
        file.write(b"ID3\x03\x00\x00" + tag_size + picture_head)
        file.seek(picture_bytes + 20)
        file.write((formats / "stereo.mp3").read_bytes())
    refused, *rows = measured([greedy, *short_files], memory_bytes=650 << 20)
    assert str(refused) == "analysis needs too much memory"
    assert all(isinstance(row, dict) for row in rows)


def test_a_worker_that_spins_is_stopped_by_its_cpu_limit(hours_long):
    command = [sys.executable, "-m", "audiocrawler.analysis.worker", str(1 << 30), "1", "60"]
    request = f'{{"path": "{hours_long}", "limits": {{}}, "energy": {{}}}}\n'.encode()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdin
        worker.stdin.write(request)
        worker.stdin.flush()
        assert worker.wait(PATIENCE_S) == -signal.SIGXCPU


def test_workers_are_replaced_after_their_number_of_files(short_files):
    pids: set[int] = set()

    async def run() -> None:
        pool = AnalysisPool(1, limits=Limits(), energy=EnergyRule(), files_per_worker=4)
        for path in short_files:
            await pool.analyse(path)
            pids.update(worker.pid for worker in workers_of(os.getpid()))
        await pool.close()

    asyncio.run(run())
    assert len(pids) == 3


def test_closing_ends_workers_in_the_middle_of_a_file(hours_long):
    async def run() -> list[Any]:
        pool = AnalysisPool(2, limits=Limits(), energy=EnergyRule())
        waiting = [asyncio.create_task(pool.analyse(hours_long)) for _ in range(4)]
        await send_to_worker_with(hours_long, signal.SIGCONT, times=2)
        await pool.close()
        assert workers_of(os.getpid()) == []
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    assert {type(outcome) for outcome in asyncio.run(run())} == {FileRejectedError}


def test_a_cancelled_analysis_does_not_disturb_the_next(hours_long, short_files):
    async def run() -> dict[str, Any]:
        pool = AnalysisPool(1, limits=Limits(), energy=EnergyRule())
        cancelled = asyncio.create_task(pool.analyse(hours_long))
        await send_to_worker_with(hours_long, signal.SIGCONT, times=1)
        cancelled.cancel()
        row = await pool.analyse(short_files[0])
        await pool.close()
        return row

    assert asyncio.run(run()) == analyse(short_files[0])


CRAWL = """
import asyncio, psutil, signal, sys
from pathlib import Path
from audiocrawler.analysis import AnalysisPool, EnergyRule, Limits

async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: print("interrupted", flush=True))
    pool = AnalysisPool(2, limits=Limits(), energy=EnergyRule())
    pool.start()
    rows = await asyncio.gather(*(pool.analyse(Path(path)) for path in sys.argv[1:]))
    print(*(row["duration_ms"] for row in rows), *sorted(worker.pid for worker in psutil.Process().children()))
    await pool.close()

asyncio.run(main())
"""


def crawl(*paths: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CRAWL, *map(str, paths)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def busy_workers(parent: subprocess.Popen[str], path: Path, count: int) -> list[psutil.Process]:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        if len(busy := [worker for worker in workers_of(parent.pid) if has_open(worker, path)]) == count:
            return busy
        time.sleep(0.01)
    raise AssertionError("the workers never opened the file")


def test_no_worker_survives_the_parents_kill(hours_long):
    with crawl(hours_long, hours_long) as parent:
        workers = busy_workers(parent, hours_long, 2)
        parent.kill()
    gone, alive = psutil.wait_procs(workers, timeout=PATIENCE_S)
    assert (len(gone), alive) == (2, [])


def test_ctrl_c_in_the_terminal_does_not_disturb_the_workers(tmp_path):
    minutes = silent_wav(tmp_path / "minutes.wav", 900)
    with crawl(minutes, minutes) as parent:
        workers = busy_workers(parent, minutes, 2)
        os.killpg(parent.pid, signal.SIGINT)
        for worker in workers:
            worker.send_signal(signal.SIGINT)
        assert parent.stdout
        pids = sorted(worker.pid for worker in workers)
        assert parent.stdout.read().split() == ["interrupted", "900000", "900000", *map(str, pids)]
    assert parent.returncode == 0


SCRAPY_REACTOR = """
import sys
from pathlib import Path
from twisted.internet import asyncioreactor
asyncioreactor.install()
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
import asyncio
from audiocrawler.analysis import AnalysisPool, EnergyRule, Limits

async def main():
    pool = AnalysisPool(1, limits=Limits(), energy=EnergyRule())
    pool.start()
    row = await Deferred.fromFuture(asyncio.ensure_future(pool.analyse(Path(sys.argv[1]))))
    await Deferred.fromFuture(asyncio.ensure_future(pool.close()))
    print(row["duration_ms"])

reactor.callWhenRunning(lambda: ensureDeferred(main()).addBoth(lambda _: reactor.stop()))
reactor.run()
"""


def test_the_pool_runs_in_twisteds_asyncio_reactor(beep):
    command = [sys.executable, "-c", SCRAPY_REACTOR, beep]
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert run.stdout == "500\n"
