"""How fast each format is written, and how much memory that needs: `python -m benchmarks.export_formats [FILES]`.

Makes a collection of files of 150 KB, exports it in every format in processes of their own, and prints for each its
MB/s, the peak of resident memory, and what of that is the process's own (the rest is code mapped from libraries).
"""

import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from audiocrawler.export.formats import FORMATS
from tests.crawling import environment, words_of
from tests.export.collecting import collect_many

FILES = 2000
SAMPLES = 37_500


def main() -> None:
    """Print a line for each format."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    with TemporaryDirectory() as folder:
        collect_many(Path(folder), files, SAMPLES)
        size = sum(path.stat().st_size for path in Path(folder, "data/objects").rglob("*.wav")) / 1e6
        print(f"{files} files, {size:.0f} MB")
        for name in FORMATS:
            seconds, resident, own = exported(Path(folder), name)
            print(f"{name:<12} {seconds:6.1f} s {size / seconds:7.1f} MB/s, {resident} MB resident, {own} MB its own")


def exported(folder: Path, name: str) -> tuple[float, int, int]:
    """Return seconds and the two peaks of an export."""
    began_at, peaks = time.monotonic(), {"VmRSS": 0, "RssAnon": 0}
    words = [*words_of(("export", "--format", name)), "--out", name]
    process = subprocess.Popen(words, cwd=folder, env=environment(), stdout=subprocess.DEVNULL)
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
        for kind, value in re.findall(r"(VmRSS|RssAnon):\s+(\d+) kB", status):
            peaks[kind] = max(peaks[kind], int(value) // 1000)
        time.sleep(0.01)
    assert process.returncode == 0
    return time.monotonic() - began_at, peaks["VmRSS"], peaks["RssAnon"]


if __name__ == "__main__":
    main()
