"""An archive expanded by a crawl, beside ``tar x`` and the same analysis of the files, alternately in the same run.

    python -m benchmarks.archives [--members 1000] [--archive-mib 200] [--rounds 3]
    python -m benchmarks.archives --many 100000

The archive is a tar.gz on loopback. The peer downloads it with curl and unpacks it first; it neither stores objects nor
writes rows. With ``--many`` a zip has so many members, of which one in a hundred is audio, for the memory alone.
"""

import argparse
import io
import os
import random
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import wave
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.file_server import REPOSITORY
from benchmarks.measured import Measured, run_measured

PEER = """
import asyncio, subprocess, sys
from pathlib import Path
from audiocrawler.analysis import AnalysisPool, EnergyRule, Limits
from audiocrawler.analysis.pool import usable_cores

async def main():
    subprocess.run(["curl", "-s", "-o", "corpus.tar.gz", sys.argv[1]], check=True)
    subprocess.run(["tar", "xzf", "corpus.tar.gz"], check=True)
    pool = AnalysisPool(usable_cores(), limits=Limits(), energy=EnergyRule())
    pool.start()
    await asyncio.gather(*(pool.analyse(path.resolve()) for path in Path().rglob("*.wav")))
    await pool.close()

asyncio.run(main())
"""
_RATE_HZ = 16_000
_AUDIO_EVERY = 100


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--archive-mib", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--many", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.many:
            _write_zip(Path(folder) / "corpus.zip", chosen.many)
            with _serving(folder) as url:
                _print(f"{chosen.many} members", [_ours(url)])
            return
        size_bytes = (chosen.archive_mib << 20) // chosen.members
        _write_tar(Path(folder) / "corpus.tar.gz", chosen.members, size_bytes)
        with _serving(folder) as url:
            rounds = [(_ours(url), _peer(f"{url}corpus.tar.gz")) for _ in range(chosen.rounds)]
    _print("audiocrawler", [ours for ours, _ in rounds])
    _print("tar x", [peer for _, peer in rounds])
    ratios = [ours.wall_s / peer.wall_s for ours, peer in rounds]
    print(f"wall time over the peer's: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def _write_tar(path: Path, members: int, size_bytes: int) -> None:
    chance = random.Random(1)
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for number in range(members):
            data = _sound(chance, size_bytes)
            info = tarfile.TarInfo(f"corpus/{number % 50}/{number}.wav")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def _write_zip(path: Path, members: int) -> None:
    chance = random.Random(1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(members):
            name = f"corpus/{number % 1000}/{number}"
            if number % _AUDIO_EVERY:
                archive.writestr(f"{name}.lab", f"the text of member {number} of a corpus with many of them\n")
            else:
                archive.writestr(f"{name}.wav", _sound(chance, 8000))


def _sound(chance: random.Random, size_bytes: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(chance.randbytes(size_bytes // 2 * 2))
    return out.getvalue()


@contextmanager
def _serving(folder: str) -> Iterator[str]:
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        match = re.search(r"port (\d+)", process.stdout.readline())
        assert match is not None
        yield f"http://127.0.0.1:{match[1]}/"
    finally:
        process.kill()
        process.wait()


def _ours(url: str) -> Measured:
    env = os.environ | {"SCRAPY_SETTINGS_MODULE": "audiocrawler.settings", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "scrapy", "crawl", "audio", "-a", f"url={url}", "-a", "archives=expand"]
    with tempfile.TemporaryDirectory() as folder:
        return run_measured([*command, "-s", "AUDIO_REPORT="], Path(folder), env)


def _peer(url: str) -> Measured:
    env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    with tempfile.TemporaryDirectory() as folder:
        return run_measured([sys.executable, "-c", PEER, url], Path(folder), env)


def _print(name: str, runs: list[Measured]) -> None:
    walls = [run.wall_s for run in runs]
    own, worker = max(run.own_peak_mib for run in runs), max(run.child_peak_mib for run in runs)
    cpu_s = statistics.median(run.cpu_s for run in runs)
    times = f"{statistics.median(walls):6.1f} s ({min(walls):.1f} to {max(walls):.1f}), CPU {cpu_s:.1f} s"
    codes = {run.code for run in runs}
    print(f"{name:14} {times}   own process {own:.0f} MiB   largest child {worker:.0f} MiB   exit {codes}")


if __name__ == "__main__":
    main()
