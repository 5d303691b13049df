"""Standard output and error of a command: survive closed pipes, keep items and messages apart."""

import io
import os
import sys
from pathlib import Path
from typing import IO, TextIO

from scrapy.settings import BaseSettings

from audiocrawler.commands.usage import as_called, program
from audiocrawler.model.text import mask_text, printable


class _PipeSafe(io.FileIO):
    """A descriptor that ignores a closed pipe, such as one to ``head``."""

    def write(self, data: "io.ReadableBuffer") -> int:  # type: ignore[name-defined]
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data) or 0


def survive_closed_pipes() -> None:
    """Let the command run to its end with its own exit code when its output pipe is closed."""
    sys.stdout, sys.stderr = _pipe_safe(sys.stdout, 1), _pipe_safe(sys.stderr, 2)


def _pipe_safe(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is None:  # closed before the command started: no file opened later may get its number
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
    elif not isinstance(stream, io.TextIOWrapper) or stream.fileno() != descriptor:
        return stream
    else:
        stream.flush()
    raw = _PipeSafe(descriptor, "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding if stream else "utf-8",
        errors="backslashreplace",
        line_buffering=descriptor != 1 or raw.isatty(),
        write_through=False,
    )


def messages_of(settings: BaseSettings) -> IO[str]:
    """Return the stream for messages: standard error if items go to standard output."""
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
    """Print with secrets masked and control characters escaped, to standard output by default."""
    print(printable(mask_text(text)), file=to or sys.stdout)


def print_error(problem: object) -> None:
    """Print an error in one line on standard error."""
    say(f"{program()}: error: {as_called(str(problem))}", sys.stderr)


def flush_output() -> str | None:
    """Flush standard output; return in one line why that failed, None if it did not."""
    try:
        sys.stdout.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)  # Python would flush again at exit, and fail with a traceback
        return f"standard output: {error.strerror}"
    return None
