"""Runs a command; reads its CPU time, and the peak memory of its own process and of its largest child, from /proc."""

import os
import resource
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.05
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Measured:
    """What a command took; memory in MiB, children apart from the process itself."""

    code: int
    wall_s: float
    own_peak_mib: float = 0
    child_peak_mib: float = 0
    own_cpu_s: float = 0
    """Of the process itself, to the last twentieth of a second of its life."""
    cpu_s: float = 0
    """With all of its children."""


def run_measured(command: list[str], folder: Path, env: dict[str, str]) -> Measured:
    """Run ``command`` in ``folder`` and return its figures."""
    figures = Measured(0, time.monotonic())
    before_s = _children_cpu_s()
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, figures, done))
    watcher.start()
    figures.code = process.wait()
    done.set()
    watcher.join()
    figures.wall_s = time.monotonic() - figures.wall_s
    figures.cpu_s = _children_cpu_s() - before_s
    return figures


def peak_mib(pid: int) -> float:
    """Return the peak memory of a process that runs, 0 for one that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def _watch(pid: int, figures: Measured, done: threading.Event) -> None:
    while not done.wait(POLL_S):
        figures.own_peak_mib = max(figures.own_peak_mib, peak_mib(pid))
        figures.own_cpu_s = max(figures.own_cpu_s, _cpu_s(pid))
        figures.child_peak_mib = max([figures.child_peak_mib, *map(peak_mib, _children(pid))])


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def _cpu_s(pid: int) -> float:
    try:
        values = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(values[11]) + int(values[12])) / _TICKS_PER_S


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
