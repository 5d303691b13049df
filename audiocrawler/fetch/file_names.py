"""Parse the file name in a Content-Disposition header by RFC 6266, with the deviations that browsers accept."""

import re
from email.errors import HeaderParseError
from email.header import decode_header
from urllib.parse import unquote, unquote_to_bytes

_PARAMETER = re.compile(r'(?:^|;)\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.DOTALL)
_EXTENDED = re.compile(r"([\w.:+-]+)'[^']*'(.*)", re.DOTALL)
_CONTINUATION = re.compile(r"filename\*(0|[1-9]\d{0,3})(\*?)")
_WORD = r"=\?[\w-]+(?:\*[\w-]+)?\?[bq]\?[^?]*\?="
_ENCODED_WORD = re.compile(rf"({_WORD})(?:\s+(?={_WORD}))?", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:\\[^\"]*\\")
_FALLBACKS = ("utf-8", "cp1252", "iso-8859-15")
_BROWSERS_READ_AS = {"iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252"}
"""Labels that mean another encoding to a browser (WHATWG Encoding, section 4.2)."""


def suggested_name(disposition: bytes) -> str:
    """Return the file name, still percent-encoded where it was, or an empty string.

    The extended notation counts first (RFC 6266, section 4.3), then its continuations (RFC 2231, section 3), then the
    plain name: in UTF-8, else in windows-1252, or in encoded words (RFC 2047).
    """
    given = _parameters(disposition.decode("latin-1"))
    extended = given.get("filename*", "")
    name = (
        _extended(extended, fallbacks=())
        or _continued(given)
        or _plain(given.get("filename", ""))
        or _extended(extended)
        or _plain(extended)
    )
    return name.strip()


def unquoted(text: str) -> str:
    """Decode percent-encoding as UTF-8, else as windows-1252."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return unquote(text, encoding="cp1252")


def _parameters(value: str) -> dict[str, str]:
    """Return the parameters, unquoted, by lower-case name; the first of several wins."""
    given: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(value):
        given.setdefault(name.lower(), _unescaped(quoted) if quoted else bare.strip().removeprefix('"'))
    return given


def _unescaped(quoted: str) -> str:
    """Unescape quoted pairs, except in Windows paths, whose backslashes are not escaped."""
    path = _DRIVE.match(quoted)
    return quoted[path.end() :] if path else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)


def _extended(value: str, fallbacks: tuple[str, ...] = _FALLBACKS) -> str:
    match = _EXTENDED.fullmatch(value)
    return _final(_decoded(unquote_to_bytes(match[2].encode("latin-1")), match[1], *fallbacks)) if match else ""


def _continued(given: dict[str, str]) -> str:
    """Join the numbered parts up to the first missing one; some may be percent-encoded."""
    parts = {int(match[1]): (match[2], given[name]) for name in given if (match := _CONTINUATION.fullmatch(name))}
    if 0 not in parts:
        return ""
    charset, raw = "", b""
    for number in range(len(parts)):
        if number not in parts:
            break
        is_encoded, value = parts[number]
        if is_encoded and number == 0 and (match := _EXTENDED.fullmatch(value)):
            charset, value = match[1], match[2]
        encoded = value.encode("latin-1")
        raw += unquote_to_bytes(encoded) if is_encoded else encoded
    return _final(_decoded(raw, charset, *_FALLBACKS)) if charset else _plain(raw.decode("latin-1"))


def _plain(value: str) -> str:
    text = _decoded(value.encode("latin-1"), *_FALLBACKS)
    return _final(_ENCODED_WORD.sub(_word_decoded, text)) if _ENCODED_WORD.search(text) else text


def _word_decoded(word: re.Match[str]) -> str:
    try:
        ((raw, charset),) = decode_header(word[1])
    except (HeaderParseError, ValueError):
        return word[1]
    return raw if isinstance(raw, str) else _decoded(raw, charset or "", *_FALLBACKS)


def _decoded(raw: bytes, *encodings: str) -> str:
    """Decode the bytes with the first encoding that fits; return an empty string if none does."""
    for encoding in encodings:
        try:
            return raw.decode(_BROWSERS_READ_AS.get(encoding.lower(), encoding))
        except (LookupError, ValueError):
            continue
    return ""


def _final(name: str) -> str:
    """Escape percent signs in a name that is already decoded."""
    return name.replace("%", "%25")
