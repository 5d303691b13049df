"""Standard output and error of a command: outlive the program that reads them, and tell items from messages."""

import io
import os
import sys
from pathlib import Path
from typing import IO, TextIO

from scrapy.settings import BaseSettings

from audiocrawler.commands.usage import as_called, program
from audiocrawler.model.text import mask_text, printable


class _Outliving(io.FileIO):
    """A descriptor on which nothing is heard of a reader that has gone, such as ``head`` when it has had its lines."""

    def write(self, data: "io.ReadableBuffer") -> int:  # type: ignore[name-defined]
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data) or 0


def outlive_readers() -> None:
    """Let the command go on to its own end and exit code when nobody reads what it prints any longer."""
    sys.stdout, sys.stderr = _outliving(sys.stdout, 1), _outliving(sys.stderr, 2)


def _outliving(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is None:  # it was closed before the command began: no file that is opened later may take its number
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
    elif not isinstance(stream, io.TextIOWrapper) or stream.fileno() != descriptor:
        return stream
    else:
        stream.flush()
    raw = _Outliving(descriptor, "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding if stream else "utf-8",
        errors="backslashreplace",
        line_buffering=descriptor != 1 or raw.isatty(),
        write_through=False,
    )


def messages_of(settings: BaseSettings) -> IO[str]:
    """Return where the command says what it has to say: standard error where items go to standard output."""
    return sys.stderr if any(_is_stdout(str(uri)) for uri in settings.getdict("FEEDS")) else sys.stdout


def _is_stdout(uri: str) -> bool:
    if uri.startswith("stdout:"):
        return True
    path = Path(uri.removeprefix("file://"))
    try:
        return os.path.samestat(path.stat(), os.fstat(1)) and not path.samefile(os.devnull)
    except (OSError, ValueError):
        return False


def say(text: str, to: TextIO | None = None) -> None:
    """Print, to standard output if nothing else is given, without secrets and what can do harm on a terminal."""
    print(printable(mask_text(text)), file=to or sys.stdout)


def complain(problem: object) -> None:
    """Say in one line on standard error what is wrong."""
    say(f"{program()}: error: {as_called(str(problem))}", sys.stderr)


def flush_output() -> str | None:
    """Write out what is still held, and return in one line why that cannot be done, None if it can."""
    try:
        sys.stdout.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)  # what is held would be tried again, and fail with a traceback, when Python ends
        return f"standard output: {error.strerror}"
    return None
