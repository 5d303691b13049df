"""Check the machine: decoder, analysis worker, disk space, browser."""

import asyncio
import io
import os
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path

from audiocrawler.analysis import AnalysisPool, EnergyRule, Limits
from audiocrawler.doctor.check import Check, broken, missing, ok
from audiocrawler.model.errors import FileRejectedError
from audiocrawler.model.text import one_line
from audiocrawler.rendering.chromium import FLAGS, can_sandbox
from audiocrawler.report.summary import bytes_text

DECODERS = ("aac", "alac", "flac", "mp3float", "opus", "pcm_s16le", "vorbis")
RATE_HZ, TONE_MS = 8000, 100
WORKER_S, CHROMIUM_S = 60.0, 60.0
MAX_SHOWN = 200


def of_decoder() -> Check:
    """Decode a tenth of a second of generated audio."""
    reinstall = "pip install --force-reinstall av"
    try:
        import av

        with av.open(io.BytesIO(_tone()), "r") as container:
            samples = sum(frame.samples for frame in container.decode(audio=0))
        absent = [name for name in DECODERS if name not in av.codecs_available]
    except Exception as error:  # noqa: BLE001 - whatever a broken build raises
        return broken("decoder", one_line(str(error), MAX_SHOWN), reinstall)
    if absent or samples != RATE_HZ * TONE_MS // 1000:
        return broken("decoder", f"lacks {', '.join(absent)}" if absent else f"gave {samples} samples", reinstall)
    return ok("decoder", f"PyAV {av.__version__} with {', '.join(DECODERS)}")


def of_worker() -> Check:
    """Measure a file in an analysis worker, as a crawl does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tone.wav"
        path.write_bytes(_tone())
        try:
            measured = asyncio.run(_measured(path))
        except FileRejectedError as error:
            return broken("worker", one_line(str(error), MAX_SHOWN), "ulimit -a shows the limits of this shell")
    if measured["duration_ms"] != TONE_MS:
        return broken("worker", f"measured {measured['duration_ms']} ms, not {TONE_MS}", "pip install --upgrade av")
    return ok("worker", "starts and measures")


async def _measured(path: Path) -> dict[str, object]:
    pool = AnalysisPool(1, limits=Limits(), energy=EnergyRule(), wall_timeout_s=WORKER_S)
    pool.start()
    try:
        return await pool.analyse(path)
    finally:
        await pool.close()


def _tone() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        out.writeframes(b"".join((n * 331 % 9000).to_bytes(2, "little") for n in range(RATE_HZ * TONE_MS // 1000)))
    return file.getvalue()


def of_disks(folders: Iterable[tuple[str, Path]], min_free_bytes: int) -> Iterator[Check]:
    """Check that the folders, given with the setting that names them, are writable and have free space."""
    seen: set[int] = set()
    for name, folder in folders:
        there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
        if problem := _not_writable(there):
            yield broken("disk", f"{name}={folder}: {there} {problem}", f"name another place in {name}")
            continue
        device, free_bytes = there.stat().st_dev, shutil.disk_usage(there).free
        if device in seen:
            continue
        seen.add(device)
        room = f"{there}: {bytes_text(free_bytes)} free"
        if free_bytes < min_free_bytes:
            stay = f"{room}, and AUDIO_MIN_FREE_BYTES={min_free_bytes} stay so"
            yield broken("disk", stay, f"free some space, or name another place in {name}")
        else:
            yield ok("disk", room)


def _not_writable(path: Path) -> str | None:
    if not path.is_dir():
        return "is no folder"
    return None if os.access(path, os.W_OK | os.X_OK) else "cannot be written"


def of_chromium(executable: str) -> Check:
    """Start the browser once, with an empty page."""
    install = "playwright install --with-deps chromium"
    sandbox = [] if can_sandbox() else ["--no-sandbox"]
    with tempfile.TemporaryDirectory() as profile:
        words = [executable, *FLAGS, *sandbox, "--headless", f"--user-data-dir={profile}", "--dump-dom", "about:blank"]
        try:
            done = subprocess.run(  # noqa: S603 - the browser that the settings name
                words, capture_output=True, text=True, timeout=CHROMIUM_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return broken("chromium", f"{executable}: {one_line(str(error), MAX_SHOWN)}", install)
    if done.returncode or "<html" not in done.stdout:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return broken("chromium", f"{executable} does not start ({one_line(last, MAX_SHOWN)})", install)
    return ok("chromium", f"{executable} starts")


def no_chromium(problem: str, *, is_named: bool) -> Check:
    """Return that there is no browser; broken if a setting names one."""
    return (broken if is_named else missing)("chromium", problem)
