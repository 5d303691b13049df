"""A value of a column in; how a page shows it out, as HTML in which nothing of the value is markup."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from audiocrawler.browse.about import DATABASE
from audiocrawler.report.summary import bytes_text

MAX_SHOWN = 60
"""Characters of a URL that are shown."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WEB = re.compile(r"https?://[^\s<>\"'\\^`{|}]+", re.IGNORECASE)
_PEAKS = range(1, 4097)
_TRIANGLE = "\N{BLACK RIGHT-POINTING TRIANGLE}\N{VARIATION SELECTOR-15}"
"""As text, not as an emoji."""


def cell_of(column: str, value: Any, row: Mapping[str, Any]) -> Markup | None:
    """Return the cell, None where Datasette's own is as good."""
    if value is None or value == "":
        return None
    if column in _OF_ROW:
        return _OF_ROW[column](value, row)
    for suffix, make in _BY_NAME.items():
        if column.endswith(suffix):
            return make(value)
    return _number(value) if isinstance(value, float) else None


def _sound(value: Any, row: Mapping[str, Any]) -> Markup | None:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        return None
    name = next((row[key] for key in ("title", "file_name", "source_url") if row.get(key)), value)
    return Markup(
        '<a class="play" href="/-/audio/{0}" data-sha="{0}" data-name="{1}" title="Play {1}">{2}</a>'
        '<a href="/{4}/files/{0}" title="{0}"><code>{3}</code></a>'
    ).format(value, str(name)[:200], _TRIANGLE, value[:8], DATABASE)


def _waveform(value: Any, row: Mapping[str, Any]) -> Markup | None:
    """Draw the peaks, two at a time; a click into it plays from there."""
    if not isinstance(value, bytes) or len(value) not in _PEAKS:
        return None
    heights = [_height(max(value[at : at + 2])) for at in range(0, len(value), 2)]
    path = "".join(f"M{at + 0.5} {50 - height}V{50 + height}" for at, height in enumerate(heights))
    return Markup(
        '<span class="waveform" data-sha="{0}"><svg role="img" aria-label="waveform" viewBox="0 0 {1} 100" '
        'preserveAspectRatio="none"><path d="{2}"/></svg></span>'
    ).format(row.get("sha256") or "", len(heights), path)


def _height(peak: int) -> int:
    """Return the half height of a bar in percent; quiet passages stay visible."""
    return max(1, round(48 * float((peak / 255) ** 0.7)))


def _url(value: Any) -> Markup:
    text = str(value)
    if not _WEB.fullmatch(text):
        return Markup('<span title="{}">{}</span>').format(text, _short(text))
    return Markup('<a href="{}" rel="noopener noreferrer" title="{}">{}</a>').format(
        text, text, _short(text.partition("://")[2])
    )


def _short(text: str) -> str:
    half = MAX_SHOWN // 2
    return text if len(text) <= MAX_SHOWN else f"{text[:half]}\N{HORIZONTAL ELLIPSIS}{text[-half:]}"


def _measured(text_of: Callable[[float], str]) -> Callable[[Any], Markup | None]:
    def cell(value: Any) -> Markup | None:
        return _titled(f"{value:,}", text_of(value)) if isinstance(value, int | float) else None

    return cell


def _length(duration_ms: float) -> str:
    """Return a length as players show it: 0:02.0, 25:00:00."""
    tenths = round(duration_ms / 100)
    seconds, tenth = divmod(tenths, 10)
    hours, rest = divmod(seconds, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}.{tenth}"


def _thousandths(unit: str) -> Callable[[float], str]:
    return lambda value: f"{value / 1000:,.4g} k{unit}" if value >= 1000 else f"{value:,.4g} {unit}"


def _time(value: Any) -> Markup:
    return _titled(str(value), str(value)[:16].replace("T", " "))


def _number(value: float) -> Markup:
    return _titled(repr(value), f"{value:,.2f}")


def _titled(title: str, text: str) -> Markup:
    return Markup('<span title="{}">{}</span>').format(title, text)


def _links_to(table: str, *columns: str) -> Callable[[Any, Mapping[str, Any]], Markup | None]:
    """Return what links a number of rows to those rows, where the row has the columns that they have in common."""

    def cell(value: Any, row: Mapping[str, Any]) -> Markup | None:
        known = [name for name in columns if name in row]
        if not isinstance(value, int) or not known:
            return None
        asked = [(f"{name}__isnull", 1) if row[name] is None else (f"{name}__exact", row[name]) for name in known]
        return Markup('<a href="/{}/{}?{}">{:,}</a>').format(DATABASE, table, urlencode(asked), value)

    return cell


_OF_ROW: dict[str, Callable[[Any, Mapping[str, Any]], Markup | None]] = {
    "sha256": _sound,
    "waveform": _waveform,
    "n": _links_to("audio_sources", "status", "reason", "host"),
    "files": _links_to("files", "page_url", "license", "language"),
}
_BY_NAME: dict[str, Callable[[Any], Markup | None]] = {
    "_url": _url,
    "example": _url,
    "_ms": _measured(_length),
    "_bytes": _measured(bytes_text),
    "_hz": _measured(_thousandths("Hz")),
    "_bps": _measured(_thousandths("bit/s")),
    "_at": _time,
}
"""How a column's name ends -> what shows it; names carry units."""
