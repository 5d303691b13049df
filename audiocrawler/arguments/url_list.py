"""A list of start URLs in, from a file, a pipe or standard input; its lines, each with its number, out."""

import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from audiocrawler.errors import ConfigurationError

STDIN = Path("-")
MAX_BYTES = 64 * 1024**2
"""A list of a million URLs; what is longer, such as a device, is no list."""
_INVISIBLE = "\ufeff\u200b\u200e\u200f\u2060 \t"
"""What editors, spreadsheets and concatenated files leave at the ends of a line."""
_COMMENT = re.compile(r"(?:^|\s)#.*")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what stands in the lines that are neither blank nor comments.

    A pipe and ``-``, standard input, can be read only once; what they gave is remembered. Raises ConfigurationError.
    """
    try:
        content = _content_once(path) if path == STDIN or not path.is_file() else _content(path)
        text = _text(content)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigurationError(f"-a urls={path}: cannot be read: {why}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if url := _COMMENT.sub("", line.strip(_INVISIBLE)).strip(_INVISIBLE):
            yield number, url


@cache
def _content_once(path: Path) -> bytes:
    return _content(path)


def _content(path: Path) -> bytes:
    if path != STDIN:
        with path.open("rb") as file:
            return _bounded(file.read(MAX_BYTES + 1))
    if sys.stdin is None:
        raise ValueError("standard input is closed")
    if sys.stdin.isatty():
        sys.stderr.write("start URLs, one a line; Ctrl-D ends the list\n")
    return _bounded(sys.stdin.buffer.read(MAX_BYTES + 1))


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES >> 20} MiB are no list of URLs")
    return content


def _text(content: bytes) -> str:
    """Return the text of UTF-8, UTF-16 or UTF-32, with a byte order mark or without; raises ValueError."""
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not {encoding.upper()}; save it as UTF-8 text") from error
    if "\0" in text:
        raise ValueError("it is binary; write one URL a line")
    return text
