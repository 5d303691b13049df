"""Peak memory of a worker process that analyses an hour of audio.

python -m benchmarks.analysis_memory [--seconds SECONDS]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.analysis.sounds import speech_like, write_audio

_ANALYSIS = r"""
import re, sys
from audiocrawler.analysis import analyse
duration_ms = analyse(sys.argv[1])["duration_ms"]
peak_kib = re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]  # ru_maxrss would count the parent's, too
print(duration_ms, int(peak_kib) // 1024)
"""
_FORMATS = {"long.mp3": ("libmp3lame", 44_100), "long.opus": ("libopus", 48_000), "long.wav": ("pcm_s16le", 44_100)}


def _measure(path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run([sys.executable, "-c", _ANALYSIS, path], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    duration_ms, peak_mib = map(int, run.stdout.split())
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{path.suffix[1:]}: {duration_ms / 60_000:.1f} min of audio, peak {peak_mib} MiB, {cpu_s:.1f} s of CPU")


def main() -> None:
    """Make each file, analyse it in a process of its own and print its peak."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3600)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, (codec, rate_hz) in _FORMATS.items():
            signal = speech_like(60, rate_hz=rate_hz)
            path = write_audio(Path(folder) / name, signal, codec, rate_hz=rate_hz, repeat=arguments.seconds // 60)
            _measure(path)
            path.unlink()


if __name__ == "__main__":
    main()
