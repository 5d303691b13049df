"""A URL in; the form in which all its spellings are equal out.

RFC 3986, section 6.2.2 and 6.2.3, and what browsers read alike (WHATWG URL, section 4.4): case of scheme and host,
default ports, final dots and numeric forms of hosts, international names, backslashes, needless escapes, missing ones,
dot segments, empty paths and queries, user names and fragments.
"""

import re
from urllib.parse import quote, unquote

from audiocrawler.addresses import plain_host

_IGNORED = re.compile(r"[\t\r\n]")
_START = re.compile(r"(https?):[/\\]*", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(\d*))?")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_KEPT = "%:/?@!$&'()*+,;="
_KEPT_IN_QUERY = _KEPT.replace("'", "")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LAST_CONTROLS = "".join(map(chr, range(33)))


def one_spelling(url: str) -> str:
    """Return the one spelling of an http or https URL; anything else is returned as it is."""
    plain = _IGNORED.sub("", url).strip(_LAST_CONTROLS).partition("#")[0]
    start = _START.match(plain)
    if start is None:
        return url
    before, _, query = plain[start.end() :].partition("?")
    authority, _, path = before.replace("\\", "/").partition("/")
    place = _AUTHORITY.fullmatch(authority.rpartition("@")[2])
    if place is None or not place[1]:
        return url
    scheme = start[1].lower()
    port = int(place[2]) if place[2] else _DEFAULT_PORTS[scheme]
    host = plain_host(unquote(place[1]))
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    return f"{scheme}://{shown_host}{shown_port}/{_path(path)}" + (
        f"?{_escaped(query, kept=_KEPT_IN_QUERY)}" if query else ""
    )


def _path(path: str) -> str:
    kept: list[str] = []
    *folders, last = (_escaped(segment) for segment in path.split("/"))
    for segment in folders:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last == "..":
        del kept[-1:]
    return "/".join([*kept, "" if last in {".", ".."} else last])


def _escaped(text: str, kept: str = _KEPT) -> str:
    """Return the text with escapes where they are needed and nowhere else, their digits in upper case."""
    return quote(_ESCAPE.sub(_plain, text), safe=kept, errors="replace")


def _plain(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return "%25"
    character = chr(int(escape[1], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()
