"""What a command prints: secrets masked, in one line or as one JSON object, also into pipes that are closed."""

import io
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from audiocrawler.model.text import mask_text, printable

PROGRAM = "audiocrawler"


def program() -> str:
    """Return the name of the program that was called: ``audiocrawler`` or ``scrapy``."""
    return PROGRAM if sys.argv and Path(sys.argv[0]).name == PROGRAM else "scrapy"


def as_called(message: str) -> str:
    """Return the message with arguments written as the program that was called takes them."""
    if program() != PROGRAM:
        return message
    return re.sub(r"-a (\w+)(=?)", lambda match: f"--{match[1]}{' ' if match[2] else ''}", message)


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


def say(text: str, to: TextIO | None = None) -> None:
    """Print with secrets masked and control characters escaped, to standard output by default."""
    print(printable(mask_text(text)), file=to or sys.stdout)


def print_error(problem: object) -> None:
    """Print an error in one line on standard error."""
    say(f"{program()}: error: {as_called(str(problem))}", sys.stderr)


def say_json(result: Mapping[str, Any]) -> None:
    """Print the result on one line of ASCII, without secrets."""
    sys.stdout.write(f"{json.dumps(_masked(result), default=str)}\n")


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {name: _masked(each) for name, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list | tuple) else value
