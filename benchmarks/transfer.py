"""What transfers cost: large files beside aria2c, and many small ones.

    python -m benchmarks.transfer large [FILES=60] [SIZE_MIB=50] [ROUNDS=3]
    python -m benchmarks.transfer small [FILES=1000] [ROUNDS=3]

Goals: the crawl's own process stays below 150 MB, and takes at most 1.5 times the CPU of aria2c for the same large
files; 150 small files a second on two cores. Each round of ``large`` runs both, one after the other. aria2c fetches
only; the crawl's own process also hashes and stores, and its workers, which are told apart, measure.
"""

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.file_server import REPOSITORY, Figures, Served, serving
from benchmarks.measured import Measured, run_measured

SMALL_BYTES, SMALL_HOSTS = 12_452, 16
PER_HOST = 4
FEW = 20


def main() -> None:
    """Run what is asked for."""
    what, *numbers = sys.argv[1:] or ["small"]
    if what == "large":
        large(*_numbers(numbers, 60, 50, 3))
    else:
        small(*_numbers(numbers, 1000, 3))


def _numbers(given: list[str], *defaults: int) -> list[int]:
    return [int(value) for value in given] + list(defaults[len(given) :])


def large(count: int, size_mib: int, rounds: int) -> None:
    """Crawl large files beside aria2c."""
    has_aria2c = shutil.which("aria2c") is not None
    print(f"{count} files of {size_mib} MiB from one host, {PER_HOST} at a time")
    if not has_aria2c:
        print("aria2c is not installed: there is no peer to compare with")
    ratios = []
    with serving(count, size_mib << 20) as served:
        for _ in range(rounds):
            ours = _crawl(served)
            _print("audiocrawler", ours, served.figures())
            if has_aria2c:
                peer = _aria2c(served)
                _print("aria2c", peer, served.figures())
                ratios.append((ours.own_cpu_s / peer.cpu_s, ours.cpu_s / peer.cpu_s))
    if ratios:
        own, whole = ([ratio[index] for ratio in ratios] for index in (0, 1))
        print(f"CPU of aria2c's: own process {_spread(own)}, with the workers that measure {_spread(whole)}")


def small(count: int, rounds: int) -> None:
    """Crawl many small files, and a few for what a crawl costs anyway."""
    print(f"{count} files of {SMALL_BYTES} bytes from one page, on {SMALL_HOSTS} hosts")
    rates, own_ms, whole_ms = [], [], []
    with serving(FEW, SMALL_BYTES, SMALL_HOSTS) as few, serving(count, SMALL_BYTES, SMALL_HOSTS) as many:
        for _ in range(rounds):
            base, ours = _crawl(few), _crawl(many)
            figures = many.figures()
            _print("audiocrawler", ours, figures)
            rates.append(figures.files / figures.seconds)
            own_ms.append((ours.own_cpu_s - base.own_cpu_s) / (count - FEW) * 1000)
            whole_ms.append((ours.cpu_s - base.cpu_s) / (count - FEW) * 1000)
    print(f"files a second {_spread(rates, 0)}")
    print(f"CPU a file, without what {FEW} files cost: own process {_spread(own_ms)} ms, all {_spread(whole_ms)} ms")


def _crawl(served: Served) -> Measured:
    command = [sys.executable, "-m", "scrapy", "crawl", "audio", "-a", f"url={served.page_url}"]
    command += ["-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=False", "-s", "AUDIO_ALLOW_ADDRESSES=127.0.0.0/8"]
    env = os.environ | {"SCRAPY_SETTINGS_MODULE": "audiocrawler.settings", "PYTHONPATH": str(REPOSITORY)}
    with tempfile.TemporaryDirectory() as folder:
        figures = run_measured(command, Path(folder), env)
        stored = sum(1 for path in (Path(folder) / "data/objects").rglob("*.wav"))
    assert (stored, figures.code) == (served.count, 0), f"{stored} of {served.count} files, exit {figures.code}"
    return figures


def _aria2c(served: Served) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        urls = "\n".join(map(served.url_of, range(served.count)))
        (Path(folder) / "list").write_text(urls, encoding="ascii")
        command = ["aria2c", "--quiet", "--no-conf", "--input-file=list", f"--max-concurrent-downloads={PER_HOST}"]
        command += ["--max-connection-per-server=1", "--split=1", "--file-allocation=none"]
        figures = run_measured(command, Path(folder), dict(os.environ))
        fetched = sum(1 for path in Path(folder).glob("*.wav"))
    assert (fetched, figures.code) == (served.count, 0), f"{fetched} of {served.count} files, exit {figures.code}"
    return figures


def _print(name: str, taken: Measured, server: Figures) -> None:
    print(
        f"{name:13} {taken.wall_s:6.1f} s, CPU {taken.own_cpu_s:6.2f} s own + {taken.cpu_s - taken.own_cpu_s:6.2f} s of"
        f" children, peak {taken.own_peak_mib:4.0f} MiB own, {taken.child_peak_mib:4.0f} MiB child;"
        f" {server.files} files in {server.seconds:5.1f} s, server's CPU {server.cpu_s:5.2f} s",
        flush=True,
    )


def _spread(values: list[float], digits: int = 2) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


if __name__ == "__main__":
    main()
