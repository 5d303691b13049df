"""The analysis process: reads requests (path, limits, rule) and writes columns or a reason, one JSON line each.

Run by the pool as ``python -m audiocrawler.analysis.worker MEMORY_BYTES CPU_SECONDS HEADERS_CPU_SECONDS``. The answers
are JSON because the pool must not trust a process that has decoded untrusted files.
"""

import base64
import ctypes
import json
import math
import os
import queue
import resource
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import Any, BinaryIO

from audiocrawler.analysis import EnergyRule, Limits, analyse
from audiocrawler.model.errors import AnalysisError

OPEN_FILES = 64
_PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000  # linux/sched.h


def confine(memory_bytes: int) -> None:
    """Sandbox this process permanently; call it before the first thread starts.

    Sets resource limits. On Linux the process also cannot gain privileges, and loses its network where the kernel
    allows a network namespace, which many containers do not.
    """
    allow(resource.RLIMIT_AS, memory_bytes)
    allow(resource.RLIMIT_CORE, 0)
    allow(resource.RLIMIT_FSIZE, 0)
    allow(resource.RLIMIT_NOFILE, OPEN_FILES)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a C library without these calls
            _leave_rights_and_network(ctypes.CDLL(None, use_errno=True))


def allow(limit: int, amount: int) -> None:
    """Set a soft resource limit, capped at the hard one."""
    _, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (amount if hard == resource.RLIM_INFINITY else min(amount, hard), hard))


def _leave_rights_and_network(libc: ctypes.CDLL) -> None:
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.unshare(_CLONE_NEWNET) and os.geteuid():
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)  # not for root, which would lose access to other users' files


TRACEBACK_ENTRIES = 10


def main() -> None:
    """Answer requests until the pool closes the pipe or ends."""
    memory_bytes, cpu_s, headers_cpu_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write above the limit fails instead of killing the process
    confine(memory_bytes)
    requests_pipe, answers_pipe = _private_pipes()
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests_pipe, requests), daemon=True).start()
    import audiocrawler.analysis.measure  # noqa: F401 - loads the decoder before the first file arrives

    while True:
        request = json.loads(requests.get())
        allow(resource.RLIMIT_CPU, math.ceil(time.process_time()) + cpu_s)
        signal.setitimer(signal.ITIMER_PROF, headers_cpu_s)  # its signal ends the process
        answer = _answer(request)
        _headers_are_read()
        answers_pipe.write(json.dumps(answer).encode() + b"\n")
        answers_pipe.flush()


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Reserve stdin and stdout for the protocol; output of libraries goes to stderr."""
    requests_pipe, answers_pipe = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device, not a path
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests_pipe, answers_pipe


def _receive(pipe: BinaryIO, requests: "queue.SimpleQueue[bytes]") -> None:
    """Queue the requests; exit when the pipe is closed, even in the middle of a file."""
    for line in pipe:
        requests.put(line)
    os._exit(0)


def _headers_are_read() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        limits, energy = Limits(**request["limits"]), EnergyRule(**request["energy"])
        columns = analyse(request["path"], limits=limits, energy=energy, opened=_headers_are_read)
    except AnalysisError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "analysis needs too much memory"}
    except Exception as error:  # noqa: BLE001 - no input may end a crawl
        reason = f"analysis failed: {type(error).__name__}: {error}"
        return {"error": reason, "traceback": traceback.format_exc(limit=-TRACEBACK_ENTRIES)}
    return columns | {"waveform": base64.b64encode(columns["waveform"]).decode()}


if __name__ == "__main__":
    main()
