"""What may be asked of a case that was played: each check returns what is wrong, or nothing."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.case_server import PAGE, Playing, Request
from benchmarks.case_words import big_mp3, mp3
from tests.crawling import Run


@dataclass(frozen=True, slots=True)
class Played:
    """One command of a case: what it came to, its own process's peak, and what the server saw and sent meanwhile."""

    run: Run
    peak_mib: float
    requests: list[Request]
    sent: list[tuple[str, int]]

    @property
    def text(self) -> str:
        """Return all that the command said on the terminal and in the log."""
        return f"{self.run.stdout}\n{self.run.stderr}\n{self.run.log}"


@dataclass(frozen=True, slots=True)
class Seen:
    """All commands of a case, in their order, and the server; what they left lies in ``last.run.folder``."""

    played: list[Played]
    server: Playing

    @property
    def last(self) -> Played:
        """Return the last command."""
        return self.played[-1]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of audio_sources, none where there is no database."""
        return _rows(self.last.run, "audio_sources")

    @property
    def audio(self) -> list[dict[str, Any]]:
        """Return the rows of audio_metadata."""
        return _rows(self.last.run, "audio_metadata")

    def media_bytes(self) -> int:
        """Return how many bytes of files the server has sent during all commands."""
        return sum(size for path, size in self.server.sent if re.search(r"\.mp3(\?|$)", path))


Check = Callable[[Seen], str | None]


def _rows(run: Run, table: str) -> list[dict[str, Any]]:
    if not (run.folder / "data/audio.db").exists():
        return []
    return run.query(f"SELECT * FROM {table}")


def told(seen: Seen) -> str:
    """Return what was seen, in a few words."""
    rows = Counter((row["status"], row["last_status"], row["reason"] or row["last_error"]) for row in seen.rows)
    said = [f"{n} x {'/'.join(map(str, dict.fromkeys(each[:2])))} {each[2] or ''}".strip() for each, n in rows.items()]
    sizes = [f"{path.stat().st_size} B" for path in seen.last.run.objects][:6]
    codes = [str(each.run.code) for each in seen.played]
    asked = sum(request.path not in {PAGE, "/robots.txt"} for request in seen.server.requests)
    counts = f"{asked} file requests" if len(seen.server.requests) else "no requests"
    left = f"rows: {'; '.join(said[:3]) or 'none'}; objects: {', '.join(sizes) or 'none'}"
    return f"exit {','.join(codes)}; {counts}; {left}"


def holds(*numbers: int) -> Check:
    """Ask that just these files are stored, whole."""
    return _holds({f"mp3({number})": mp3(number) for number in numbers})


def holds_big() -> Check:
    """Ask that just the big file is stored, whole."""
    return _holds({"the big file": big_mp3()})


def _holds(files: dict[str, bytes]) -> Check:
    def check(seen: Seen) -> str | None:
        found = {hashlib.sha256(path.read_bytes()).hexdigest(): path.stat().st_size for path in seen.last.run.objects}
        wanted = {hashlib.sha256(data).hexdigest(): name for name, data in files.items()}
        if wrong := found.keys() - wanted.keys():
            return f"stored {', '.join(str(found[each]) for each in wrong)} bytes that are no file of the server"
        if missing := wanted.keys() - found.keys():
            return f"not stored: {', '.join(sorted(wanted[each] for each in missing)[:4])} ({len(missing)})"
        return None

    return check


def nothing_stored(seen: Seen) -> str | None:
    """Ask that no object is there."""
    sizes = [path.stat().st_size for path in seen.last.run.objects]
    return f"stored {sizes} bytes" if sizes else None


def admits(seen: Seen) -> str | None:
    """Ask that whatever is stored says in its rows that it could not be proved whole."""
    silent = [row["status"] for row in seen.rows if row["gcp_url"] and not (row["reason"] or row["last_error"])]
    return f"{silent} without a reason" if silent else None


def never_unchanged(seen: Seen) -> str | None:
    """Ask that no row became ``unchanged``."""
    return "certified as unchanged" if any(row["last_status"] == "unchanged" for row in seen.rows) else None


def status(*names: str) -> Check:
    """Ask that each row's last status is one of these."""
    return lambda seen: _unless(names, {row["last_status"] or row["status"] for row in seen.rows}, "status")


def code(*codes: int) -> Check:
    """Ask for the exit code of the last command."""
    return lambda seen: None if seen.last.run.code in codes else f"exit code {seen.last.run.code}, wanted {codes}"


def reason(pattern: str) -> Check:
    """Ask that each row's reason, or what is said where there is no row, matches."""

    def check(seen: Seen) -> str | None:
        told = [f"{row['reason']} {row['last_error']}" for row in seen.rows] or [seen.last.run.stderr]
        wrong = [each for each in told if not re.search(pattern, each, re.IGNORECASE)]
        return f"reason {wrong[0].strip()[-160:]!r}" if wrong else None

    return check


def says(pattern: str) -> Check:
    """Ask that the last command's terminal or log matches."""
    return lambda seen: None if re.search(pattern, seen.last.text, re.IGNORECASE) else f"nobody says {pattern!r}"


def prints(pattern: str) -> Check:
    """Ask that the last command's terminal matches."""

    def check(seen: Seen) -> str | None:
        found = re.search(pattern, seen.last.run.stdout + seen.last.run.stderr, re.IGNORECASE)
        return None if found else f"the terminal does not say {pattern!r}"

    return check


def is_silent_about(text: str) -> Check:
    """Ask that neither the terminal nor any file but the frontier has this text."""

    def check(seen: Seen) -> str | None:
        files = [path for path in (seen.last.run.folder / "data").rglob("*") if path.is_file()]
        places = [path.name for path in files if "frontier" not in path.name and text.encode() in path.read_bytes()]
        places += ["the terminal" for each in seen.played if text in each.run.stdout + each.run.stderr]
        return f"{text!r} stands in {', '.join(sorted(set(places)))}" if places else None

    return check


def asked(prefix: str, most: int, least: int = 0) -> Check:
    """Ask how often the server was asked for what begins so."""

    def check(seen: Seen) -> str | None:
        count = sum(request.path.startswith(prefix) for request in seen.server.requests)
        return None if least <= count <= most else f"{count} requests of {prefix}*, wanted {least} to {most}"

    return check


def rows(count: int) -> Check:
    """Ask for so many rows of audio_sources."""
    return lambda seen: None if len(seen.rows) == count else f"{len(seen.rows)} rows, wanted {count}"


def sent_once(size_bytes: int) -> Check:
    """Ask that all commands together cost no more than these bytes of files."""
    return lambda seen: None if (n := seen.media_bytes()) <= size_bytes else f"{n:,} bytes sent, wanted {size_bytes:,}"


def below_mib(most: float) -> Check:
    """Ask that the crawl's own process stayed below."""
    return lambda seen: None if (peak := seen.last.peak_mib) <= most else f"peak of {peak:.0f} MiB"


def named(name: str) -> Check:
    """Ask for the file name of every stored file."""
    return lambda seen: _unless((name,), {row["file_name"] for row in seen.audio} or {None}, "file_name")


def no_pending(seen: Seen) -> str | None:
    """Ask that every row has an end."""
    count = sum(row["status"] == "pending" for row in seen.rows)
    return f"{count} rows are pending" if count else None


def header_sent(name: str, pattern: str) -> Check:
    """Ask that the last command's requests had one with such a header."""

    def check(seen: Seen) -> str | None:
        values = [request.headers.get(name, "") for request in seen.last.requests]
        found = any(re.search(pattern, value) for value in values)
        return None if found else f"{name} was {sorted(set(values))}"

    return check


def file_says(name: str, pattern: str) -> Check:
    """Ask that a file in the crawl's folder matches."""

    def check(seen: Seen) -> str | None:
        paths = sorted(seen.last.run.folder.glob(name))
        text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in paths)
        return None if re.search(pattern, text) else f"{name} does not say {pattern!r}"

    return check


def stdout_is(test: Callable[[str], bool], what: str) -> Check:
    """Ask something of the last command's stdout."""
    return lambda seen: None if test(seen.last.run.stdout) else f"stdout is not {what}"


def is_json_lines(text: str) -> bool:
    """Return whether there is at least one line and each is an object."""
    try:
        return bool(text) and all(isinstance(json.loads(line), dict) for line in text.splitlines())
    except ValueError:
        return False


def absent(name: str) -> Check:
    """Ask that this is not in the crawl's folder."""
    return lambda seen: f"{name} is there" if (seen.last.run.folder / name).exists() else None


def repository_says(folder: str, pattern: str) -> Check:
    """Ask that some file of the project matches."""

    def check(_: Seen) -> str | None:
        paths = [path for path in (Path(__file__).parents[1] / folder).rglob("*") if path.is_file()]
        found = any(re.search(pattern, path.read_text(encoding="utf-8")) for path in paths)
        return None if found else f"{folder} does not say {pattern!r}"

    return check


def either(*ways: tuple[Check, ...]) -> Check:
    """Ask that all checks of one of the ways hold."""

    def check(seen: Seen) -> str | None:
        wrong = [[said for each in way if (said := each(seen))] for way in ways]
        return None if [] in wrong else " / ".join(", ".join(each) for each in wrong)

    return check


def _unless(wanted: tuple[str, ...], found: set[Any], what: str) -> str | None:
    if found and found <= set(wanted):
        return None
    return f"{what} {', '.join(map(repr, sorted(map(str, found))))}, wanted {' or '.join(map(repr, wanted))}"
