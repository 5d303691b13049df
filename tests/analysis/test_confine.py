"""A worker has given up what it does not need before it opens its first file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from audiocrawler.analysis.pool import _environment

CONFINED = """
import os, resource, socket, sys
from audiocrawler.analysis.worker import confine
confine(1 << 30)
{}
"""


def confined(code: str, folder: Path) -> str:
    """Return what a confined process prints."""
    command = [sys.executable, "-c", CONFINED.format(code)]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=_environment()).stdout


def test_it_writes_no_file(tmp_path: Path) -> None:
    code = (
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try: open('written', 'wb', 0).write(b'x')\nexcept OSError as error: print(error.strerror)"
    )
    assert confined(code, tmp_path) == "File too large\n"


def test_it_opens_few_files(tmp_path: Path) -> None:
    code = (
        "try: files = [open(os.devnull) for _ in range(100)]\nexcept OSError as error: print(error.strerror, end='')\n"
    )
    assert confined(code, tmp_path) == "Too many open files"


@pytest.mark.skipif(sys.platform != "linux", reason="a call of Linux")
def test_it_gains_no_rights(tmp_path: Path) -> None:
    assert "NoNewPrivs:\t1" in confined("print(open('/proc/self/status').read())", tmp_path)


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="who may leave the network is the kernel's say"
)
def test_it_has_no_network(tmp_path: Path) -> None:
    may_leave = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True).returncode == 0
    if not may_leave:
        pytest.skip("this kernel or container lets no process leave the network")
    code = "print([line.split(':')[0].strip() for line in list(open('/proc/self/net/dev'))[2:]])\n"
    assert set(eval(confined(code, tmp_path))) <= {"lo", "tunl0", "sit0", "ip6tnl0"}  # the kernel's own, all down
    code = (
        "try: socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError as error: print(error.strerror, end='')\n"
    )
    assert confined(code, tmp_path) == "Network is unreachable"


def test_a_worker_gets_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/x.json")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    environment = _environment()
    assert not {"AWS_SECRET_ACCESS_KEY", "GOOGLE_APPLICATION_CREDENTIALS"} & environment.keys()
    assert environment["LC_ALL"] == "C.UTF-8"
