"""CPU time of the whole analysis against pydub's ``AudioSegment.from_file`` and ``dBFS``, run in turn.

python -m benchmarks.analysis_cpu [--rounds N] [--short FILES] [--long SECONDS]

The audio is made here. Each run is a process of its own; the programs that pydub starts are counted. pydub uses the
ffmpeg and ffprobe on the PATH, as it does for its users; where there are none, the static ffmpeg of imageio-ffmpeg.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.analysis.sounds import speech_like, write_audio

_ANALYSIS = "from audiocrawler.analysis import analyse\nfor path in sys.argv[1:]: analyse(path)"
_PROGRAMS = all(map(shutil.which, ("ffmpeg", "ffprobe")))
_LOAD = "from pydub import AudioSegment" if _PROGRAMS else "from tests.analysis.oracle import whole_file"
_PYDUB = (
    f"import warnings; warnings.simplefilter('ignore')\n{_LOAD}\n"
    f"for path in sys.argv[1:]: {'AudioSegment.from_file' if _PROGRAMS else 'whole_file'}(path).dBFS"
)


def _cpu_s(code: str, paths: list[Path]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", f"import sys\n{code}", *map(str, paths)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _compare(label: str, paths: list[Path], rounds: int) -> None:
    pairs = [(_cpu_s(_ANALYSIS, paths), _cpu_s(_PYDUB, paths)) for _ in range(rounds)]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{label}: analysis {ours:.2f} s, pydub {theirs:.2f} s of CPU, ratio {ratio:.2f} (median of {rounds})")


def main() -> None:
    """Make the audio, run both and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", type=int, default=500, help="number of files of 5 s")
    parser.add_argument("--long", type=int, default=3600, help="seconds of the long file")
    arguments = parser.parse_args()
    print(f"pydub with {'the ffmpeg and ffprobe on the PATH' if _PROGRAMS else 'the ffmpeg of imageio-ffmpeg'}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short = write_audio(folder / "short.mp3", speech_like(5), "libmp3lame")
        long = write_audio(folder / "long.mp3", speech_like(60), "libmp3lame", repeat=arguments.long // 60)
        _compare(f"{arguments.short} mp3 files of 5 s", [short] * arguments.short, arguments.rounds)
        _compare(f"one mp3 file of {arguments.long} s", [long], arguments.rounds)


if __name__ == "__main__":
    main()
