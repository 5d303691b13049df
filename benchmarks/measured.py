"""Runs a command and reads the peak memory of its own process and of its largest child from /proc."""

import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.05


@dataclass(slots=True)
class Measured:
    """What a command took; memory in MiB, children apart from the process itself."""

    code: int
    wall_s: float
    own_peak_mib: float
    child_peak_mib: float


def run_measured(command: list[str], folder: Path, env: dict[str, str]) -> Measured:
    """Run ``command`` in ``folder`` and return its figures."""
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    own, children = [0.0], [0.0]
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, own, children, done))
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    return Measured(code, time.monotonic() - began, own[0], children[0])


def _watch(pid: int, own: list[float], children: list[float], done: threading.Event) -> None:
    while not done.wait(POLL_S):
        own[0] = max(own[0], peak_mib(pid))
        children[0] = max([children[0], *map(peak_mib, _children(pid))])


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def peak_mib(pid: int) -> float:
    """Return the peak memory of a process that runs, 0 for one that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0
