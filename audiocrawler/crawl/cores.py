"""How many processes that measure this machine has room for."""

import os
from pathlib import Path

MAX_WORKERS = 4


def usable_cores() -> int:
    """Return how many cores this process may use by affinity and cgroup quota, at most MAX_WORKERS."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _cgroup_quota(), MAX_WORKERS))


def _cgroup_quota() -> int:
    """Return the whole cores that cgroup v2's cpu.max grants, MAX_WORKERS where it grants all."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return MAX_WORKERS
    return MAX_WORKERS if quota == "max" else max(1, int(quota) // int(period))
