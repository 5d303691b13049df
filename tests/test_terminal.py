"""What a crawl shows on a terminal while it runs and at its end, at any width, and what it logs where there is none."""

import io
import re
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands.collecting import collect
from tests.crawling import environment, words_of
from tests.ptys import Terminal
from tests.strange_server import Strange, Wire, strange


def tone(seconds: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"".join((n * 331 % 9000).to_bytes(2, "little") for n in range(8000 * seconds)))
    return file.getvalue()


@contextmanager
def slow_site(going_on: threading.Event) -> Iterator[Strange]:
    """Serve a page with two files, of which one stops half way until it may go on."""
    large = tone(20)

    def answer(wire: Wire, path: str) -> None:
        if path == "/":
            wire.body('<a href="/quick.wav">quick</a> <a href="/slow.wav">slow</a> <a href="/gone.wav">gone</a>')
        elif path == "/quick.wav":
            wire.body(tone(1), kind="audio/wav")
        elif path == "/slow.wav":
            wire.send(f"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: {len(large)}\r\n\r\n".encode())
            wire.send(large[: len(large) // 2])
            while not (going_on.wait(0.05) or wire.closing.is_set()):
                pass
            wire.send(large[len(large) // 2 :])
        else:
            wire.body("", status="404 Not Found")

    with strange(answer) as server:
        yield server


def crawl_in(
    folder: Path, url: str, columns: int, *arguments: str, env: Mapping[str, str] | None = None, **settings: str
) -> Terminal:
    words = words_of(("crawl", "audio"), f"url={url}/", *arguments, settings=settings)
    return Terminal(
        words, folder, environment({"TERM": "xterm-256color", "AUDIO_CONTACT": "a@b.example", **(env or {})}), columns
    )


def shows(*patterns: str) -> Callable[[str], bool]:
    return lambda text: all(re.search(each, text) for each in patterns)


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_area_is_drawn_in_place_at_any_width_and_the_log_stays_above_it(columns: int, tmp_path: Path) -> None:
    going_on = threading.Event()
    with (
        slow_site(going_on) as server,
        crawl_in(tmp_path, server.url, columns, "limit=3", AUDIO_LOG_DIR="") as terminal,
    ):
        under_way = shows(
            r"\d+ s · 1 page · 3 found · 1 stored · 1 failed", "1 of 3 files", "█░* 160.0 kB of 320.0 kB · 127"
        )
        text = terminal.wait_for(under_way)
        assert terminal.is_cursor_hidden
        for second in (4, 5):  # it is drawn anew, four times a second, and leaves no copy
            terminal.wait_for(shows(rf"(?s)\n{second} s · .* 127\.0\.0\.1$"))
            text = terminal.text()
            assert text.count(" found · ") == text.count(" files") == 1
            assert text.rindex("[scrapy") < text.index(" found · ")
            assert (" · 1.0 s of audio" in text) is (columns == 200)
        going_on.set()
        assert terminal.finish() == 0
        text = terminal.text()
    assert " found · " not in text
    assert not terminal.is_cursor_hidden
    assert "\n  stored      2 files" in text
    assert text.index("Spider closed") < text.index("\n  stored ")


def test_ctrl_c_says_that_it_stops_what_waits_and_that_the_same_command_goes_on(tmp_path: Path) -> None:
    with slow_site(threading.Event()) as server, crawl_in(tmp_path, server.url, 80, AUDIO_STOP_GRACE_S="1") as terminal:
        terminal.wait_for(shows("160.0 kB of 320.0 kB"))
        terminal.press(b"\x03")
        terminal.wait_for(shows("stopping · "))
        assert terminal.finish() == 130
        text = terminal.text()
    assert "stopping" not in text
    assert not terminal.is_cursor_hidden
    assert "\n  waiting     1 request; the same command goes on with it\n" in text


def test_a_second_ctrl_c_gives_the_terminal_back(tmp_path: Path) -> None:
    with (
        slow_site(threading.Event()) as server,
        crawl_in(tmp_path, server.url, 80, AUDIO_STOP_GRACE_S="60") as terminal,
    ):
        terminal.wait_for(shows("160.0 kB of 320.0 kB"))
        terminal.press(b"\x03")
        terminal.wait_for(shows("stopping · "))
        terminal.press(b"\x03")
        assert terminal.finish() == 130
    assert not terminal.is_cursor_hidden
    assert "stopping" not in terminal.text()


def test_warnings_are_shown_where_the_log_is_a_file(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        if path == "/robots.txt":
            wire.body("User-agent: *\nCrawl-delay: 5000", kind="text/plain")
        else:
            wire.body("<p>nothing</p>")

    with strange(answer) as server, crawl_in(tmp_path, server.url, 200) as terminal:
        assert terminal.finish() == 3
        text = terminal.text()
    assert re.search(r"^warning: skipping \S+: Crawl-delay 5000 s is above the limit", text)
    assert "INFO" not in text
    assert b"\x1b[31mscrapy: error: every start failed" in terminal.raw


def test_colours_are_left_out_where_none_are_wanted(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        wire.body("", status="404 Not Found")

    with strange(answer) as server, crawl_in(tmp_path, server.url, 80, env={"NO_COLOR": "1"}) as terminal:
        assert terminal.finish() == 3
    assert "scrapy: error: every start failed" in terminal.text()
    assert b"\x1b[3" not in terminal.raw


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TTY_INTERACTIVE": "0"}], ids=["dumb", "not interactive"])
def test_no_area_is_drawn_where_the_terminal_cannot_or_may_not(env: dict[str, str], tmp_path: Path) -> None:
    going_on = threading.Event()
    going_on.set()
    with slow_site(going_on) as server, crawl_in(tmp_path, server.url, 80, env=env) as terminal:
        assert terminal.finish() == 0
    assert b"\x1b" not in terminal.raw
    assert "\n  stored      2 files" in terminal.text()


@pytest.mark.parametrize("command", [("crawl", "audio", "-O", "-:jsonlines"), ("fetch",)], ids=["items", "fetch"])
def test_the_terminal_is_left_to_what_is_printed_there(command: tuple[str, ...], tmp_path: Path) -> None:
    going_on = threading.Event()
    going_on.set()
    with slow_site(going_on) as server:
        words = words_of(command, *([f"url={server.url}/"] if command[0] == "crawl" else []))
        words += [f"{server.url}/"] if command[0] == "fetch" else []
        with Terminal(words, tmp_path, environment({"TERM": "xterm-256color"}), 80) as terminal:
            assert terminal.finish() == 0
    assert b"\x1b[?25l" not in terminal.raw
    assert ("source_url" if command[0] == "crawl" else "<a href=") in terminal.text()


def test_the_bar_of_a_long_command_is_drawn_in_place_and_removed(tmp_path: Path) -> None:
    collect(tmp_path)
    words = words_of(("verify", "--hash", "--offline"))
    with Terminal(words, tmp_path, environment({"TERM": "xterm-256color"}), 60) as terminal:
        assert terminal.finish() == 0
    assert b"objects " in terminal.raw
    assert "░" in terminal.raw.decode()
    assert terminal.text().startswith("40 files and ")
    assert not terminal.is_cursor_hidden


LOADS_RICH = (
    "import atexit, sys; atexit.register(lambda: print('rich' in sys.modules))\n"
    "from scrapy.cmdline import execute; sys.argv[0] = 'scrapy'; execute()"
)


def test_without_a_terminal_the_log_has_a_line_now_and_then_and_rich_is_not_loaded(tmp_path: Path) -> None:
    going_on = threading.Event()
    going_on.set()
    with slow_site(going_on) as server:
        words = words_of(("crawl", "audio"), f"url={server.url}/", settings={"LOGSTATS_INTERVAL": "0.1"})
        command = [sys.executable, "-c", LOADS_RICH, *words[3:]]
        done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    (log,) = (tmp_path / "data/logs").iterdir()
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if "[audiocrawler.terminal] INFO" in line]
    assert len(lines) > 1
    assert re.search(r"INFO: \d+ s, 1 page, 3 found, \d stored, 1 failed, \d waiting, \d+", lines[-1])
    assert "Crawled 0 pages" not in log.read_text(encoding="utf-8")
    assert done.stdout.endswith("\nFalse\n")
    assert "found" not in done.stderr
