"""Standard output of a command: messages kept apart from items, and what could not be written."""

import os
import sys
from pathlib import Path
from typing import IO

from scrapy.settings import BaseSettings


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


def flush_output() -> str | None:
    """Flush standard output; return in one line why that failed, None if it did not."""
    try:
        sys.stdout.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)  # Python would flush again at exit, and fail with a traceback
        return f"standard output: {error.strerror}"
    return None
