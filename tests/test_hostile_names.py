"""Names, tags, titles and URLs of strangers do no harm in objects, rows, the log, the terminal and exports."""

import csv
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest

from audiocrawler.model.rows import MAX_TEXT_LENGTH, MAX_URL_LENGTH
from tests.analysis.sounds import tone, write_audio
from tests.crawling import Run, crawl

MEGABYTE = 1_000_000
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ud800-\udfff]")
RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")
TITLES = {
    "plain": "Möwen am Kai",
    "formula": "=CMD('/c calc')!A1",
    "plus": "+1+1",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)*cmd",
    "number": "-23.2",
    "escape": "before\x1b[2J\x1b]0;owned\x07after",
    "c1": "before\x9b31mafter",
    "bidi": "song\u202e3pm.exe",
    "isolate": "a\u2067b\u2069c",
    "zero-width": "pay\u200bpal\ufeff",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "sql": "'); DROP TABLE audio_sources; --",
    "lines": "one\r\n2026-01-01 00:00:00 [audio] ERROR: feigned",
    "separator": "one\u2028two",
    "nul": "be\x00fore",
    "persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "long": "x" * MEGABYTE,
}
NAMES = (
    "../../../../etc/passwd", "..\\..\\boot.ini", "CON", "nul.mp3", "a\x00b.mp3", "\x1b[31mred.mp3", "=CMD().mp3",
    "-rf.mp3", "\u202e3pm.mp3", "<script>.mp3", "x" * 5000 + ".mp3", "a\nb.mp3", "%00.mp3", "%ED%A0%80.mp3", "~",
    "$(id)",
)  # fmt: skip


@dataclass(slots=True)
class Stranger:
    """A server whose page, headers, file names and tags are all meant to do harm."""

    url: str = ""
    sound: bytes = b""

    def page(self) -> str:
        titled = [
            f'<audio src="/t/{number}.mp3" title="{escape(title)}"></audio>'
            for number, title in enumerate(TITLES.values())
        ]
        named = [f'<a href="/n/{number}/{quote(name)}">x</a>' for number, name in enumerate(NAMES)]
        odd = [
            '<a href="/raw/\x1b[31m\u202e.mp3">x</a>',
            f'<a href="/{"u" * MEGABYTE}.mp3">x</a>',
            '<a href="/refused.mp3">x</a>',
            '<a href="http://[::1/a.mp3">x</a>',
            '<a href="/a/../../../b.mp3">x</a>',
        ]
        title = f"\x1b]0;owned\x07{TITLES['lines']}\u202e{'t' * MEGABYTE}"
        return f"<title>{title}</title><base href='http://['>" + "\n".join([*titled, *named, *odd])

    def answer(self, path: str) -> tuple[str, dict[str, str], bytes]:
        if path == "/":
            return "text/html; charset=utf-8", {}, self.page().encode()
        if path == "/refused.mp3":
            return "text/html\x1b[2J\x9b", {}, b"<html></html>"
        headers = {"ETag": '"\x1b[31m"', "Last-Modified": "\x07soon"}
        if path.startswith("/n/"):
            number = int(path.split("/")[2])
            plain = NAMES[number].encode("ascii", "replace").decode().replace("\n", " ").replace("\0", " ")
            headers["Content-Disposition"] = (
                f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(NAMES[number])}"
            )
        return "audio/mpeg", headers, self.sound + b"\0" + path.encode()[:100]  # no two files are equal


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stranger]:
    folder = tmp_path_factory.mktemp("sound")
    tags = {
        "title": "=CMD()\x1b[31m\u202e",
        "artist": "\x07<b>" + "a" * 100_000,
        "comment": "x\r\n2026-01-01 00:00:00 [audio] ERROR: feigned",
        "=k\x1b": "v",
    }
    sound = write_audio(folder / "sound.mp3", tone(440, 0.5, 0.3), "libmp3lame", tags=tags).read_bytes()
    served = Stranger(sound=sound)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content_type, headers, body = served.answer(unquote(urlsplit(self.path).path))
            if self.path == "/robots.txt":
                content_type, headers, body = "text/plain", {}, b"User-agent: *\nDisallow:\nSitemap: http://[\n"
            self.send_response(200)
            for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield served
        server.shutdown()


@pytest.fixture(scope="module")
def run(stranger: Stranger, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A crawl of the stranger's page that exports to a spreadsheet, JSON lines and XML at once."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    feeds = {f"out.{form}": {"format": form} for form in ("csv", "jsonl", "xml")}
    fields = ["file_name", "title", "text", "file_urls", "files", "source", "audio"]
    feeds["out.csv"]["fields"] = fields[:1] + fields[3:]  # type: ignore[assignment]
    settings = {"FEEDS": json.dumps(feeds), "AUDIO_MEDIA_PER_HOST": "16"}
    return crawl(folder, f"url={stranger.url}/", "depth=1", settings=settings)


def texts_of(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    yield from ((name, value) for row in rows for name, value in row.items() if isinstance(value, str))


def test_every_file_becomes_a_row_and_an_object_under_its_hash(run: Run) -> None:
    assert run.code == 0, run.stderr
    assert len(run.audio) == len(run.objects) >= len(TITLES) + len(NAMES) + 1
    for path in run.objects:
        assert re.fullmatch(
            r"sha256/(..)/(..)/\1\2[0-9a-f]{60}\.mp3", str(path.relative_to(run.folder / "data/objects"))
        )
    assert {path.name for path in run.folder.iterdir()} == {"data", "out.csv", "out.jsonl", "out.xml"}


def test_texts_in_rows_are_bounded_and_without_control_characters(run: Run) -> None:
    for name, text in texts_of([*run.audio, *run.sources.values()]):
        assert not HARMFUL.search(text), (name, text[:100])
        assert name == "tags" or len(text) <= (MAX_URL_LENGTH if name.endswith("_url") else MAX_TEXT_LENGTH), name


def test_texts_in_rows_keep_their_meaning(run: Run, stranger: Stranger) -> None:
    titles = [
        run.sources[f"{stranger.url}/t/{number}.mp3"]["title"] for number, name in enumerate(TITLES) if name != "long"
    ]
    kept = ["plain", "formula", "plus", "minus", "at", "number", "html", "sql", "persian"]
    assert set(titles) >= {TITLES[name] for name in kept}
    assert {"song3pm.exe", "abc", "one 2026-01-01 00:00:00 [audio] ERROR: feigned", "before"} <= set(titles)
    assert any(row["title"].startswith("Möwen") for row in run.audio if row["title"])
    assert {json.loads(row["tags"])["title"] for row in run.audio} == {"=CMD()[31m"}


def test_file_names_are_names(run: Run) -> None:
    for row in run.audio:
        name = row["file_name"]
        assert 0 < len(name) <= 200
        assert not re.search(r'[\\/:*?"<>|\n]', name), name
        assert not re.match(r"(?i)(?:\.|con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", name), name


def test_the_log_has_one_line_a_record(run: Run) -> None:
    assert "feigned" not in "".join(line for line in run.log.splitlines() if RECORD.match(line) and "ERROR" in line)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", run.log)
    for line in run.log.partition("Spider opened")[2].split("\n")[1:]:
        assert not line or RECORD.match(line) or line.startswith("    "), line
    assert max(map(len, run.log.splitlines())) < 20_000


def test_the_terminal_gets_no_escapes(run: Run) -> None:
    for printed in (run.stdout, run.stderr):
        assert not HARMFUL.search(printed)
    assert "instead of audio" in run.stdout
    assert "Traceback" not in run.stderr + run.log


def test_a_spreadsheet_has_no_formulas(run: Run) -> None:
    with (run.folder / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(run.audio)
    texts = [cell for row in rows for cell in row.values() if not re.fullmatch(r"-?[\d.]+(e-\d+)?", cell)]
    assert not any(text[:1] in "=+-@\t\r" for text in texts if text)
    assert any(row["file_name"].startswith("'=CMD()") for row in rows)


def test_json_lines_and_xml_can_be_read_again(run: Run) -> None:
    lines = (run.folder / "out.jsonl").read_text(encoding="utf-8").splitlines()
    items = ET.parse(run.folder / "out.xml").getroot().findall("item")
    assert len(lines) == len(items) == len(run.audio)
    exported = {json.loads(line)["source"]["source_url"] for line in lines}
    assert exported == {item.findtext("source/source_url") for item in items} <= set(run.sources)
