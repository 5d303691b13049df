"""A command in a real pseudo-terminal of a given size, and what stands on its screen."""

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import pyte


class Terminal:
    """Runs a command line whose three streams are the terminal; ``with`` ends it."""

    def __init__(self, words: list[str], folder: Path, env: Mapping[str, str], columns: int, rows: int = 40) -> None:
        self._screen = pyte.HistoryScreen(columns, rows, history=5000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            words,
            cwd=folder,
            env={
                name: value for name, value in env.items() if name not in {"COLUMNS", "LINES"}
            },  # of pytest's terminal
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - it does nothing else
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def press(self, keys: bytes) -> None:
        """Type; b"\\x03" is Ctrl-C."""
        os.write(self._master, keys)

    def lines(self) -> list[str]:
        """Return all lines that stand in the terminal, those that were scrolled off included."""
        scrolled = ["".join(line[x].data for x in range(self._screen.columns)) for line in self._screen.history.top]
        return [line.rstrip() for line in (*scrolled, *self._screen.display) if line.strip()]

    def text(self) -> str:
        """Return the lines as a text."""
        return "\n".join(self.lines())

    @property
    def is_cursor_hidden(self) -> bool:
        """Return whether the cursor is hidden."""
        return bool(self._screen.cursor.hidden)

    def wait_for(self, what: Callable[[str], bool], timeout_s: float = 60) -> str:
        """Return the text of the screen as soon as ``what`` holds for it."""
        until = time.monotonic() + timeout_s
        while not what(self.text()):
            assert self._process.poll() is None, f"it has ended: {self.text()}"
            assert time.monotonic() < until, self.text()
            self._read(0.2)
        return self.text()

    def finish(self, timeout_s: float = 120) -> int:
        """Return the exit code when the command has ended."""
        until = time.monotonic() + timeout_s
        while self._process.poll() is None:
            assert time.monotonic() < until, self.text()
            self._read(0.2)
        while self._read(0.0):
            pass
        return self._process.returncode

    def _read(self, timeout_s: float) -> bool:
        if not select.select([self._master], [], [], timeout_s)[0]:
            return False
        with suppress(OSError):  # the command has closed the terminal
            if data := os.read(self._master, 65_536):
                self.raw += data
                self._stream.feed(data)
                return True
        return False
