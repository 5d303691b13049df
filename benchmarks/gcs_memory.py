"""Peak memory of uploads to Cloud Storage's emulator, over that of the same process with nothing uploaded.

    python -m benchmarks.gcs_memory [THREADS=8]

Promise: 500 small files and ten of 50 MiB, as many at a time as there are threads, raise the peak by at most 30 MiB.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import file_digest
from pathlib import Path

from audiocrawler.storage import Store, object_key, open_store

REPOSITORY = Path(__file__).parents[1]
BUCKET = "memory"
LOADS = {"idle": (0, 0), "small": (500, 20_000), "middle": (40, 2 << 20), "large": (10, 50 << 20)}
"""How many files of how many bytes."""


def main() -> None:
    """Run one process per load and print its peak."""
    threads = sys.argv[1] if len(sys.argv) > 1 else "8"
    command = [sys.executable, "-m", "tests.emulators.gcs", BUCKET]
    server = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    env = os.environ | {"STORAGE_EMULATOR_HOST": server.stdout.readline().strip()}
    try:
        for load in LOADS:
            child = [sys.executable, "-m", "benchmarks.gcs_memory", load, threads]
            subprocess.run(child, cwd=REPOSITORY, env=env, check=True)
    finally:
        server.kill()


def upload(load: str, threads: int) -> None:
    """Upload one load, and print how far the peak rose over that of the open store."""
    count, size_bytes = LOADS[load]
    with tempfile.TemporaryDirectory() as folder:
        paths = [_write(Path(folder, str(n)), size_bytes) for n in range(count)]
        store = open_store(f"gs://{BUCKET}")
        before, began = _peak_mib(), time.monotonic()
        with ThreadPoolExecutor(threads) as pool:
            _consume(pool.map(lambda path: _put(store, path), paths))
        print(
            f"{load:6} {count:4} files of {size_bytes:9,} bytes, {threads} at a time: peak {_peak_mib():6.1f} MiB, "
            f"{_peak_mib() - before:5.1f} over idle, {time.monotonic() - began:5.1f} s"
        )


def _put(store: Store, path: Path) -> None:
    with path.open("rb") as file:
        sha256 = file_digest(file, "sha256").hexdigest()
    key = object_key(sha256, "mp3")
    store.put(path, key, content_type="audio/mpeg", file_name=path.name, sha256=sha256, source_url="http://x/")


def _write(path: Path, size_bytes: int) -> Path:
    with path.open("wb") as file:
        for _ in range(0, size_bytes, 1 << 20):
            file.write(os.urandom(min(1 << 20, size_bytes)))
    return path


def _consume(results: Iterable[None]) -> None:
    for _ in results:
        pass


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in LOADS:
        upload(sys.argv[1], int(sys.argv[2]))
    else:
        main()
