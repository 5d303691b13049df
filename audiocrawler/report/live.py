"""A few lines at the bottom of a terminal that are redrawn in place, below everything else that is written.

rich is only imported for such a terminal: it takes 7 MB that a crawl under cron does not need.
"""

import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TextIO

from audiocrawler.model.text import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

BAR_COLUMNS = 24
NARROWEST_BAR = 8
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Gauge:
    """A line with a bar, if there is a ``total``, followed by figures, the most important first."""

    done: float
    total: float | None
    items: Sequence[str]
    label: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What the area shows: a line of figures, and gauges below it."""

    items: Sequence[str] = ()
    gauges: Sequence[Gauge] = field(default_factory=tuple)


class LiveArea:
    """The area; ``start`` draws it, ``refresh`` redraws it, ``stop`` removes it.

    Meanwhile, what is written to ``sys.stderr`` or logged to the terminal appears above it.
    """

    def __init__(self, terminal: TextIO, view: Callable[[], View]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._terminal, self._view = terminal, view
        self._is_drawn = False
        self._console = Console(file=terminal, highlight=False, markup=False, emoji=False)
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            get_renderable=self._rendered,
        )
        self.above = Above(self._console, terminal)
        """Where to write lines that stay."""
        self._handlers: list[tuple[logging.StreamHandler[Any], Any]] = []

    @classmethod
    def on(cls, terminal: TextIO, view: Callable[[], View]) -> Self | None:
        """Return an area; None if ``terminal`` cannot redraw lines (TERM=dumb)."""
        if not terminal.isatty():
            return None
        area = cls(terminal, view)
        return area if area.can_be_drawn else None

    @property
    def can_be_drawn(self) -> bool:
        """Return whether the terminal can move the cursor."""
        return self._console.is_interactive

    def start(self) -> None:
        """Draw the area; from now on, other output appears above it."""
        for handler in logging.root.handlers:
            if isinstance(handler, logging.StreamHandler) and _is_on_terminal(handler):
                self._handlers.append((handler, handler.setStream(self.above)))
        sys.stderr = self.above
        self._is_drawn = True
        self._live.start(refresh=True)

    def refresh(self) -> None:
        """Redraw the area."""
        self._live.refresh()

    def stop(self) -> None:
        """Remove the area, and restore the streams."""
        if not self._live.is_started:
            return
        self._live.stop()
        self.above.finish()
        if sys.stderr is self.above:
            sys.stderr = self._terminal
        for handler, stream in self._handlers:
            handler.setStream(stream)

    def _rendered(self) -> "RenderableType":
        from rich.console import Group

        view, columns = self._view() if self._is_drawn else View(), self._console.width  # rich asks at once
        is_plain = self._console.options.ascii_only
        lines = [_cut(view.items, columns, is_plain=is_plain)] if view.items else []
        return Group(*lines, *(_gauge(each, columns, is_plain=is_plain) for each in view.gauges))


class Above(io.TextIOBase):
    """A stream whose lines are written above a live area, unwrapped, so that URLs stay whole."""

    def __init__(self, console: "Console", terminal: TextIO) -> None:
        super().__init__()
        self._console, self._terminal = console, terminal
        self._begun = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the terminal's."""
        return self._terminal.encoding

    def write(self, text: str) -> int:
        """Write the complete lines."""
        *lines, self._begun = (self._begun + text).split("\n")
        if lines:
            self._print("\n".join(lines))
        return len(text)

    def finish(self) -> None:
        """Write an unfinished line."""
        if self._begun:
            self._print(self._begun)
            self._begun = ""

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return True

    def fileno(self) -> int:
        """Return the terminal's."""
        return self._terminal.fileno()

    def _print(self, lines: str) -> None:
        from rich.text import Text

        self._console.print(Text(lines), soft_wrap=True)


def _is_on_terminal(handler: logging.StreamHandler[Any]) -> bool:
    try:
        return not isinstance(handler, logging.FileHandler) and os.isatty(handler.stream.fileno())
    except (AttributeError, OSError, ValueError):
        return False


def _cut(items: Sequence[str], columns: int, line: "Text | None" = None, *, is_plain: bool = False) -> "Text":
    """Append as many of the items to ``line`` as fit."""
    from rich.cells import cell_len
    from rich.text import Text

    line = Text(no_wrap=True, overflow="crop") if line is None else line
    separator = ""
    for item in map(printable, items):
        if line.cell_len + len(separator) + cell_len(item) >= columns:  # the last column stays free: some wrap there
            break
        line.append(separator, "dim").append(item)
        separator = ", " if is_plain else " · "
    return line


def _gauge(gauge: Gauge, columns: int, *, is_plain: bool) -> "Text":
    from rich.text import Text

    line = Text(gauge.label or INDENT, no_wrap=True, overflow="crop")
    if gauge.label:
        line.append(" ")
    if gauge.total is not None:
        room = max(NARROWEST_BAR, min(BAR_COLUMNS, columns // 4))
        filled = int(room * min(1.0, gauge.done / gauge.total)) if gauge.total else 0
        full, empty = ("#", "-") if is_plain else ("█", "░")
        line.append(full * filled, "green").append(empty * (room - filled), "dim").append(" ")
    return _cut(gauge.items, columns, line, is_plain=is_plain)
