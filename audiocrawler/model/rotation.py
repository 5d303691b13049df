"""The rotating parts of a URL, which change while the file stays: signatures, tokens, expiry times and cache busters.

``row_key`` leaves out only what is known to rotate, so equal keys mean one file. ``pattern_of`` leaves out everything
that may rotate, so equal patterns need the feed's guid or the bytes to decide.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote, urldefrag

from audiocrawler.model.text import has_expiry, is_secret_name, mask_url

ROTATING = "~"
"""Placeholder in a key for a value that rotates."""
ANY = "*"
"""Placeholder in a pattern for a value that may rotate."""

_FAMILIES: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(sign, re.IGNORECASE), re.compile(members, re.IGNORECASE))
    for sign, members in (
        (r"x-(amz|goog|oss|cos|obs|bce)-signature", r"x-(amz|goog|oss|cos|obs|bce)-[\w-]+"),
        (
            r"signature",
            r"signature|expires|key-pair-id|policy|(aws|oss)?accesskeyid|googleaccessid|security-token|x-amz-security-token",
        ),
        (r"sig", r"sv|ss|srt|sp|se|st|spr|sig|sr|si|sip|sdd|skoid|sktid|skt|ske|sks|skv|saoid|suoid|scid|ses"),
        (r"hdn(ts|ea|tl)|__gda__", r"hdn(ts|ea|tl)|__gda__"),
        (r"q-signature", r"q-[\w-]+"),
    )
)
"""The parameter that identifies a signing scheme, and those that belong to it. Such a signature covers the path, so
the path identifies the file.
"""
_IN_NEED = {"sig": {"se", "si", "sv"}, "signature": {"expires", "policy", "key-pair-id"}}
"""Parameters that must also be present, since the first one's name is used for other things, too."""

_SESSION = re.compile(r"[a-z]*sessid|jsessionid|aspsessionid\w*|cfid|cftoken", re.IGNORECASE)
_AMBIGUOUS = re.compile(
    r"[\w-]*(?<!api)(?<!api[-_])(?<!auth)(?<!auth[-_])(?<!access)(?<!access[-_])key|sid|pass|pwd|[\w-]*passw[\w-]*|policy",
    re.IGNORECASE,
)
"""Secrets that are often permanent, or not secret at all: a key may be the name of an object."""
_EXPIRY = re.compile(r"[\w-]*expir\w*|exp|e|ttl|validto|valid_until|validfrom|deadline|oe|nva|nvb|st", re.IGNORECASE)
_BUSTER = re.compile(
    r"_|_+(?:t|ts|cb|dc|r)|cb|cb_?id|cache_?bust\w*|bust(?:er)?|no_?cache|rnd|rand(?:om)?|updated(?:_?at)?",
    re.IGNORECASE,
)
"""Parameters that only serve to bypass caches."""
_OFTEN_BUSTER = re.compile(
    r"time_?stamp|ts|time|t|r|v|ver|version|rev|mtime|cache|nc|modified|last_?modified|now|date|d", re.IGNORECASE
)
_IDENTITY = re.compile(
    r"(?:[\w-]*[_-])?(?:u?u?id|guid|no|nr|num|number|name|slug|title)|[a-z]+id|[a-z]+Id"
    r"|file\w*|path|url|uri|src|source|track|song|ep|episode|audio|media|item|show|clip|f|n|p|q|i|a|id\w?|object|asset",
)
_SCRIPT = re.compile(
    r"(?:php\d?|phtml|aspx?|ashx|axd|jspx?|cgi|pl|py|do|action|s?html?|cfm|dll|exe|json|xml)", re.IGNORECASE
)
_GENERIC = re.compile(
    r"(?:get|download|downloader|dl|play|player|playback|stream|streaming|listen|audio|file|media|index|redirect|proxy"
    r"|fetch|serve|server|output|content|default|latest|live|current|mp3|sound|track|song|episode|podcast|main|master)?",
    re.IGNORECASE,
)
"""Names of scripts that serve any file, though the name may look like one file's."""

_MASK = re.compile(r"~[0-9a-f]{8}(?![0-9a-f])")
_TIME = re.compile(r"\d{10}(?:\d{3}){0,2}|\d{10}\.\d+|20\d{6}T?\d{4,6}Z?|20\d\d-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?")
_FRACTION = re.compile(r"0?\.\d{3,}")
_RANDOM = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w+/=~-]{16,}")
_MAX_BUSTER_LENGTH = 64
_LEFT_OUT = re.compile(r"(?<==)~(?=[&;,/]|$)|(?<=/)~(?=/|$)")
_EXPIRY_IN_PATH = re.compile(r"(?<=expires=)\d{9,}|(?<=[/&;,~]exp=)\d{9,}|(?<=[/&;,~]e=)\d{9,}", re.IGNORECASE)


def row_key(url: str, *, only_sure: bool = False) -> str:
    """Return the key of a URL's row: masked, with ``~`` for what is known to rotate; idempotent.

    A parameter whose name only suggests that it rotates is left out where something else identifies the file: a path
    that ends in a file name, or a parameter such as ``id``. With ``only_sure`` it is kept.
    """
    url = mask_url(urldefrag(url).url)
    place, mark, query = url.partition("?")
    if not mark and "~" not in place:
        return url
    parameters = [each.partition("=") for each in query.split("&")] if mark else []
    family = _family_members({name.lower() for name, _, _ in parameters})
    is_named = not only_sure and (names_file(place) or any(_identifies(name, value) for name, _, value in parameters))
    signed = bool(family) or any(_is_token(name, url) for name, _, _ in parameters)
    written = [
        f"{name}={ROTATING}"
        if name.lower() in family
        or (is_named and equals and _rotates(name, value, url, signed=signed))
        or (equals and _SESSION.fullmatch(name))
        else f"{name}{equals}{value}"
        for name, equals, value in parameters
    ]
    return _path_key(place, is_named=is_named) + mark + "&".join(written)


def pattern_of(url: str) -> str:
    """Return a URL without scheme and with ``*`` for everything that may rotate; what identifies the file is kept."""
    place, mark, query = row_key(url).partition("?")
    segments = place.partition("://")[2].split("/")
    inner = [ANY if _may_be_token(each) else _MASK.sub(ANY, each) for each in segments[1:-1]]
    written = sorted(_pattern_pairs(query, is_named=names_file(place)))
    last = [_MASK.sub(ANY, segments[-1])] if len(segments) > 1 else []
    return _LEFT_OUT.sub(ANY, "/".join([segments[0].lower(), *inner, *last])) + mark + "&".join(written)


def is_rotating(url: str) -> bool:
    """Return whether part of the URL may change while the file stays the same."""
    return ANY in pattern_of(url)


def is_key_of_rotating(key: str) -> bool:
    """Return whether a key lacks values, so that it cannot be requested."""
    return bool(_LEFT_OUT.search(key))


def names_file(url: str) -> bool:
    """Return whether the path of a URL ends in the name of a file, not of a script that serves any file."""
    name = unquote(url.partition("?")[0].partition("://")[2].rpartition("/")[2])
    stem, dot, extension = name.partition(";")[0].rpartition(".")
    is_file = bool(dot) and bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9]{1,4}", extension))
    return is_file and not _SCRIPT.fullmatch(extension) and not _GENERIC.fullmatch(stem)


def file_name_of(url: str) -> str:
    """Return the last part of a URL's path."""
    return url.partition("?")[0].rpartition("/")[2]


def _family_members(names: set[str]) -> set[str]:
    found: set[str] = set()
    for sign, members in _FAMILIES:
        signs = {name for name in names if sign.fullmatch(name)}
        if any(name not in _IN_NEED or names & _IN_NEED[name] for name in signs):
            found |= {name for name in names if members.fullmatch(name)}
    return found


def _rotates(name: str, value: str, url: str, *, signed: bool) -> bool:
    if value == ROTATING or _is_token(name, url):
        return True
    if signed and _EXPIRY.fullmatch(name):
        return bool(re.fullmatch(r"\d{9,}", value) or _TIME.fullmatch(unquote(value)))
    return bool(_BUSTER.fullmatch(name)) and _is_moment(value)


def _is_token(name: str, url: str) -> bool:
    is_secret = is_secret_name(name, if_expiring=has_expiry(url))
    return is_secret and (has_expiry(url) or not _AMBIGUOUS.fullmatch(name))


def _is_moment(value: str) -> bool:
    """Return whether a value is a time, or a random number that a script adds to bypass caches."""
    text = unquote(value)
    return bool(_TIME.fullmatch(text) or _FRACTION.fullmatch(text))


def _identifies(name: str, value: str) -> bool:
    return (
        bool(value) and bool(_IDENTITY.fullmatch(name)) and not _SESSION.fullmatch(name) and not _MASK.fullmatch(value)
    )


def _path_key(place: str, *, is_named: bool) -> str:
    if not is_named or "~" not in place:
        return place
    start, separator, path = place.partition("://")
    host, slash, path = path.partition("/")
    return f"{start}{separator}{host}{slash}{_EXPIRY_IN_PATH.sub(ROTATING, _MASK.sub(ROTATING, path))}"


def _pattern_pairs(query: str, *, is_named: bool) -> Iterator[str]:
    for each in query.split("&") if query else []:
        name, equals, value = each.partition("=")
        yield f"{name}={ANY}" if equals and _may_rotate(name, value, is_named=is_named) else each


def _may_rotate(name: str, value: str, *, is_named: bool) -> bool:
    if value == ROTATING or _MASK.fullmatch(value):
        return True
    if not value or _identifies(name, value):
        return False
    if _is_buster(name, is_named=is_named) and len(value) <= _MAX_BUSTER_LENGTH and not re.search(r"[./]", value):
        return True
    return _is_moment(value) or bool(_RANDOM.fullmatch(unquote(value)))


def _is_buster(name: str, *, is_named: bool) -> bool:
    return bool(_BUSTER.fullmatch(name) or (is_named and _OFTEN_BUSTER.fullmatch(name)))


def _may_be_token(segment: str) -> bool:
    """Return whether a folder may be a token or a time."""
    return bool(_RANDOM.fullmatch(segment) or re.fullmatch(r"\d{10}(?:\d{3})?", segment))
