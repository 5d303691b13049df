"""The last rows of the closing table: what is pending, and what to do next."""

from dataclasses import dataclass
from typing import IO

NEEDS_A_DEED = ("turned away", "start failed:")
"""How rows begin that need action."""
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Outlook:
    """Pending requests, whether they are persisted, and the commands to suggest."""

    waiting: int = 0
    is_kept: bool = True
    commands: tuple[str, ...] = ()

    def waiting_rows(self) -> list[tuple[str, str]]:
        """Return the row of pending requests, if there are any."""
        if not self.waiting:
            return []
        number = f"{self.waiting} request{'s' * (self.waiting != 1)}"
        if not self.is_kept:
            return [("waiting", f"{number}; none is kept: AUDIO_FRONTIER is memory")]
        return [("waiting", f"{number}; the same command goes on with {'it' if self.waiting == 1 else 'them'}")]

    def next_rows(self) -> list[tuple[str, str]]:
        """Return a row per command."""
        return [("" if number else "next", command) for number, command in enumerate(self.commands)]


def in_red(text: str, stream: IO[str]) -> str:
    """Return the text, red if the stream is a terminal with colours (see NO_COLOR, TERM=dumb)."""
    if not stream.isatty():
        return text
    from rich.console import Console  # reads the environment as others do

    console = Console(file=stream)
    return f"{_RED}{text}{_PLAIN}" if console.color_system and not console.no_color else text


def marked(table: str, stream: IO[str]) -> str:
    """Return the table, with the rows that need action in red."""
    needs = [line.lstrip().startswith(NEEDS_A_DEED) for line in table.split("\n")]
    lines = zip(table.split("\n"), needs, strict=True)
    return "\n".join(in_red(line, stream) if is_needed else line for line, is_needed in lines) if any(needs) else table
