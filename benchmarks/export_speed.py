"""How fast each format is written, and the peak of its memory, beside a plain copy of the same files.

    python -m benchmarks.export_speed [ROUNDS=3] [FILES=2000] [MANY=10000]

Files of 150 kB on one disk. A copy is ``shutil.copyfile`` and fsync of each file; one runs just before each export, so
that both find the machine equally busy. Memory is all that is resident, code of libraries included, of the command from
its start on. Every format is written with FILES; hf and webdataset with MANY, too. audiofolder, lhotse and nemo
link the files and copy none; jsonl, csv and parquet have no audio.

Goals: 150 MB a second; below 150 MB of memory with 10,000 files.
"""

import os
import shutil
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measured import Measured, run_measured
from tests.crawling import environment, words_of
from tests.export.collecting import collect_many

SAMPLES = 37_500
ALL = ("hf", "webdataset", "audiofolder", "lhotse", "nemo", "jsonl", "csv", "parquet")
NO_FILE = 3
"""Exit code."""


def main() -> None:
    """Measure the formats."""
    given = [int(word) for word in sys.argv[1:]]
    rounds, few, many = given + [3, 2000, 10_000][len(given) :]
    for files, names in ((few, ALL), (many, ("hf", "webdataset"))):
        with TemporaryDirectory() as folder:
            measure(Path(folder), files, names, rounds)


def measure(folder: Path, files: int, names: tuple[str, ...], rounds: int) -> None:
    """Export a collection of so many files, and print a line for each format."""
    collect_many(folder, files, SAMPLES)
    originals = sorted((folder / "data/objects").rglob("*.wav"))
    mb = sum(path.stat().st_size for path in originals) / 1e6
    print(f"{files} files, {mb:.0f} MB, median of {rounds}")
    exported(folder, "jsonl", "--where", "FALSE")  # Python compiles what has no byte code yet
    nothing = exported(folder, "jsonl", "--where", "FALSE")
    print(f"no file      {nothing.wall_s:5.1f} s, CPU {nothing.cpu_s:5.2f} s, peak {_mb(nothing):4.0f} MB")
    for name in names:
        pairs = [(copied(originals, folder / "copy"), exported(folder, name)) for _ in range(rounds)]
        _print(name, files, mb, pairs)


def exported(folder: Path, name: str, *options: str) -> Measured:
    """Return what an export took, whose set is deleted again."""
    env = environment({"PYTHONPYCACHEPREFIX": str(folder / "bytecode")})
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has byte code
    taken = run_measured([*words_of(("export", "--format", name)), "--out", "set", *options], folder, env)
    assert taken.code == (NO_FILE if options else 0), f"{name}: exit code {taken.code}"
    shutil.rmtree(folder / "set")
    return taken


def copied(originals: list[Path], target: Path) -> tuple[float, float]:
    """Return the seconds, and those of the processor, that a copy took, which is deleted again."""
    target.mkdir()
    began, cpu = time.monotonic(), time.process_time()
    for path in originals:
        copy = target / path.name
        shutil.copyfile(path, copy)
        with copy.open("rb") as file:
            os.fsync(file.fileno())
    taken = time.monotonic() - began, time.process_time() - cpu
    shutil.rmtree(target)
    return taken


def _print(name: str, files: int, mb: float, pairs: list[tuple[tuple[float, float], Measured]]) -> None:
    exports = [export for _, export in pairs]
    wall_s, cpu_s = (statistics.median(getattr(each, kind) for each in exports) for kind in ("wall_s", "cpu_s"))
    copy_s, copy_cpu_s = (statistics.median(copy[place] for copy, _ in pairs) for place in (0, 1))
    of_copy = statistics.median(export.wall_s / copy[0] for copy, export in pairs)
    print(
        f"{name:<12} {wall_s:5.1f} s, CPU {cpu_s:5.2f} s: {mb / wall_s:4.0f} MB/s, {mb / cpu_s:4.0f} MB a CPU second, "
        f"{files / wall_s:5.0f} files/s, peak {max(map(_mb, exports)):4.0f} MB; "
        f"{of_copy:.2f} of the time of a copy ({mb / copy_s:.0f} MB/s, CPU {copy_cpu_s:.2f} s)",
        flush=True,
    )


def _mb(taken: Measured) -> float:
    return taken.own_peak_mib * (1 << 20) / 1e6


if __name__ == "__main__":
    main()
