"""Feed damaged media files to the analysing workers, as a crawl does, and count what becomes of them.

python -m benchmarks.fuzz_analysis [FOLDER] [--cases N] [--seed N] [--keep FOLDER]

Each case is one or two files of the folder, cut, flipped, spliced and with lies in their fields; seed and number of a
case give its bytes again. Ends with 1 if a worker died, a limit was passed, or a row came that no table takes.
"""

import argparse
import asyncio
import logging
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiocrawler.analysis import AnalysisPool, EnergyRule, Limits
from audiocrawler.model.errors import AnalysisError, WarehouseError
from audiocrawler.model.rows import AudioMetadata
from audiocrawler.warehouse.rows import checked

SITE_AUDIO = Path(__file__).parents[1] / "tests/site/audio"
MAX_SEED_BYTES = 128 * 1024
LIMIT_S = 60.0
"""Of wall clock and of CPU for one case: the cores are shared."""
HEAD_BYTES = 256
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
DEATHS = ("died", "took longer")

Mutation = Callable[[random.Random, bytearray, list[bytes]], None]


def _flip(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    for _time in range(rng.choice((1, 4, 32))):
        body[_place(rng, body)] ^= 1 << rng.randrange(8)


def _lie(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    at, length = _place(rng, body), rng.choice((1, 2, 4, 8))
    number = rng.choice(NUMBERS) & ((1 << 8 * length) - 1)
    body[at : at + length] = number.to_bytes(length, rng.choice(("big", "little")))


def _cut(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    del body[_place(rng, body) or 1 :]


def _drop(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    at = _place(rng, body)
    del body[at : at + rng.choice((1, 3, 16, 512, 4096))]


def _repeat(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    at = _place(rng, body)
    piece = body[at : at + rng.choice((1, 8, 64, 1024))]
    body[at:at] = piece * rng.choice((1, 2, 16))


def _splice(rng: random.Random, body: bytearray, seeds: list[bytes]) -> None:
    other = rng.choice(seeds)
    at = rng.randrange(len(other))
    body[_place(rng, body) :] = other[at:]


def _noise(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    at, length = _place(rng, body), rng.choice((4, 32, 512))
    body[at : at + length] = rng.randbytes(length)


MUTATIONS: tuple[Mutation, ...] = (_flip, _flip, _lie, _lie, _lie, _cut, _drop, _repeat, _splice, _noise)


def _place(rng: random.Random, body: bytearray) -> int:
    """Return where to strike: in the headers at the front more often than not."""
    if len(body) < 2:
        body.extend(b"RIFF")
    return rng.randrange(min(len(body), HEAD_BYTES) if rng.random() < 0.6 else len(body))


def case(number: int, seed: int, seeds: list[bytes]) -> bytes:
    """Return the bytes of a case."""
    rng = random.Random(f"{seed}-{number}")
    body = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        rng.choice(MUTATIONS)(rng, body, seeds)
    return bytes(body)


def read_seeds(folder: Path) -> list[bytes]:
    """Return the files of a folder that are not too large, in the order of their names."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".json")
    return [path.read_bytes() for path in files if 0 < path.stat().st_size <= MAX_SEED_BYTES]


@dataclass(slots=True)
class Report:
    """What became of the cases."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest: int = 0

    def note(self, number: int, outcome: dict[str, Any] | str, took_s: float) -> bool:
        """Count a case by its columns or its reason; return whether it has shown a fault."""
        if took_s > self.slowest_s:
            self.slowest_s, self.slowest = took_s, number
        fault = _fault(outcome)
        kind = "measured" if isinstance(outcome, dict) else "over a limit or died" if fault else "refused"
        self.outcomes[kind] += 1
        if isinstance(outcome, str):
            self.reasons[outcome] += 1
        if fault:
            self.failures.append(f"case {number}: {fault}")
        return bool(fault)


def _fault(outcome: dict[str, Any] | str) -> str | None:
    if isinstance(outcome, str):
        is_fault = any(word in outcome for word in (*DEATHS, "the analysis failed"))
        return outcome if is_fault else None
    try:
        checked(AudioMetadata(gcp_url="file:///case", file_name="case", **outcome))
    except WarehouseError as error:
        return str(error)
    return None if outcome["duration_ms"] >= 0 and -120 <= outcome["loudness"] < 1000 else f"measured {outcome}"


class Deaths(logging.Handler):
    """Counts the workers that died, also where the second attempt went well."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what the pool says of a worker's death."""
        self.messages.append(record.getMessage())


async def run(seeds: list[bytes], arguments: argparse.Namespace, folder: Path) -> Report:
    """Analyse all cases in a pool of workers."""
    report = Report()
    pool = AnalysisPool(arguments.workers, limits=Limits(), energy=EnergyRule(), wall_timeout_s=LIMIT_S)
    numbers = iter(range(arguments.first, arguments.first + arguments.cases))

    async def feed() -> None:
        for number in numbers:
            path = folder / f"{number}.mp3"
            path.write_bytes(case(number, arguments.seed, seeds))
            began_s = time.monotonic()
            outcome: dict[str, Any] | str
            try:
                outcome = await pool.analyse(path)
            except AnalysisError as error:
                outcome = str(error)
            if report.note(number, outcome, time.monotonic() - began_s):
                (arguments.keep / f"{arguments.seed}-{number}").write_bytes(path.read_bytes())
            path.unlink()

    await asyncio.gather(*(feed() for _ in range(arguments.workers)))
    await pool.close()
    return report


def main() -> None:
    """Run the cases and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=SITE_AUDIO)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--keep", type=Path, default=Path(tempfile.gettempdir()), help="where cases with faults are kept"
    )
    arguments = parser.parse_args()
    arguments.keep.mkdir(parents=True, exist_ok=True)
    deaths = Deaths()
    logging.getLogger("audiocrawler.analysis").addHandler(deaths)
    seeds = read_seeds(arguments.folder)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(run(seeds, arguments, Path(folder)))
    print(f"{arguments.cases} cases from {len(seeds)} files, seed {arguments.seed}, {time.monotonic() - began_s:.0f} s")
    print(", ".join(f"{count} {kind}" for kind, count in report.outcomes.most_common()))
    print(*(f"  {count:6} x {reason[:100]}" for reason, count in report.reasons.most_common(15)), sep="\n")
    print(f"slowest: case {report.slowest}, {report.slowest_s:.1f} s of {LIMIT_S:.0f} s")
    print(f"workers that died: {len(deaths.messages)}", *deaths.messages, sep="\n  ")
    print(f"faults: {len(report.failures)}", *report.failures, sep="\n  ")
    raise SystemExit(bool(report.failures or deaths.messages))


if __name__ == "__main__":
    main()
