"""What a worker gives up before it opens its first file: memory, files to write, new rights, and the network."""

import ctypes
import os
import resource
import sys
from contextlib import suppress

OPEN_FILES = 64
_PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000  # linux/sched.h


def confine(memory_bytes: int) -> None:
    """Bound this process for good; call it before the first thread starts.

    The system's limits hold everywhere. On Linux the process can gain no rights any more, and has a network without any
    interface where the kernel lets it have one of its own, which many containers do not.
    """
    allow(resource.RLIMIT_AS, memory_bytes)
    allow(resource.RLIMIT_CORE, 0)
    allow(resource.RLIMIT_FSIZE, 0)
    allow(resource.RLIMIT_NOFILE, OPEN_FILES)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a C library without these calls
            _leave_rights_and_network(ctypes.CDLL(None, use_errno=True))


def allow(limit: int, amount: int) -> None:
    """Set a soft limit of the process, not above the hard one."""
    _, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (amount if hard == resource.RLIM_INFINITY else min(amount, hard), hard))


def _leave_rights_and_network(libc: ctypes.CDLL) -> None:
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.unshare(_CLONE_NEWNET) and os.geteuid():
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)  # root would lose its access to the files of others
