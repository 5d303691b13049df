"""Sanitise untrusted text for tables, logs, terminals and exports, and mask secrets in it."""

import re
from hashlib import sha256
from urllib.parse import quote

_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_UNSEEN = "\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ufffe\uffff"
_HARMFUL = re.compile(f"[{_CONTROLS}{_UNSEEN}]")
_HARMFUL_IN_URL = re.compile(f"[\t\n{_CONTROLS}{_UNSEEN}]")
_HARMFUL_ON_TERMINAL = re.compile(f"[{_CONTROLS}{_UNSEEN}\ud800-\udfff]")
_MARK_LENGTH = 9


def storable(text: str) -> str:
    """Return ``text`` without harmful characters; newlines and tabs are kept."""
    if text.isprintable():
        return str(text)
    return _HARMFUL.sub("", _SURROGATES.sub("\ufffd", text))


def storable_url(url: str, max_length: int) -> str:
    """Return ``url`` with harmful characters percent-encoded.

    A URL longer than ``max_length`` is cut and ends with ``~`` and 8 hex digits of its SHA-256, so it stays distinct.
    """
    if not url.isprintable():
        url = _HARMFUL_IN_URL.sub(lambda found: quote(found[0]), _SURROGATES.sub("\ufffd", url))
    if len(url) <= max_length:
        return str(url)
    return f"{url[: max_length - _MARK_LENGTH]}~{sha256(url.encode()).hexdigest()[:8]}"


def one_line(text: str, max_length: int) -> str:
    """Return ``text`` on one line, without harmful characters, cut to ``max_length`` characters."""
    return " ".join(storable(text[: 4 * max_length]).split())[:max_length]


def printable(text: str) -> str:
    """Return ``text`` for a log or terminal, with harmful characters escaped; newlines and tabs are kept."""
    if text.isprintable():
        return text
    return _HARMFUL_ON_TERMINAL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


_IN_NAME = "signature|token|secret|passw|credential|jwt|hmac|session|(?:api|auth|access)(?:[-_.]|%2D|%5F)?key"
_NAMES = (
    "sig|_sig|lsig|sign|wmsauthsign|key|(?:app|private|feed|subscription)[-_]?key|rlkey|key-pair-id|(?:oss)?accesskeyid"
    "|googleaccessid|auth|authorization|bearer|policy|pass|pwd|sid|[a-z]*sessid|verify|ticket|hdnts|hdnea|hdntl|__gda__"
)
_NAMES_IF_EXPIRING = "e?hash|md5|sha1|sha256|mac|digest|checksum|h|s|st|oh"
_EXPIRY = re.compile(r"[?&;/~](?:[\w-]*expir\w*|exp|e|ttl|validto|valid_until|deadline|oe)=", re.IGNORECASE)

# A parameter follows one of these, percent-encoded any number of times: URLs may be nested.
_START = r"(?:[?&;#/~]|%(?:25)*(?:3F|26|3B|23|2F))"
_IN_WORD = r"(?:[\w.\-\[\]]|%(?:2D|5F|5B|5D)){0,100}"  # bounded, because the time is quadratic
_EQUALS = r"(?:=|%(?:25)*3D)"
_ENCODED_VALUE = re.compile(r"(?:(?!%(?:25)*(?:26|23))[^&#])+", re.IGNORECASE)
_QUERY_VALUE = re.compile(r"(?:[^&;#]|;(?![^&;#=]+=(?!=)))+")
_PATH_VALUE = re.compile(r"[^/;?&#]+")
_PATH_END = re.compile(r"[?#]")

_JWT = re.compile(r"(?:(?<![\w-])|(?<=%[0-9A-F]{2}))(?P<secret>eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)")
_USER = re.compile(r"^(?:[^/?#]*:)?//(?P<secret>[^/?#\s]+)@")
_ODD_USER = re.compile(r"(?:^|:)//(?P<secret>[^/?#@:\s]+:(?!\d*(?:[/?#]|$))[^@\s/?#]{0,200}[/?#][^@\s]{0,200})@")
"""A password with characters that end a host: not a valid URL, but people write it."""
_NESTED_USER = re.compile(r"://(?P<secret>[^/?#&\s]+)@")
_ENCODED_USER = re.compile(r"%3A%2F%2F(?P<secret>(?:(?!%2F|%3F|%40)[^/?#&\s])+)%40", re.IGNORECASE)

_SUSPICIOUS = re.compile(r"[=@]|%(?:25)*(?:3D|40)|eyJ", re.IGNORECASE)
_HEADER = re.compile(
    r"^(?P<start>\W*(?:Set-Cookie|Cookie|(?:Proxy-)?Authorization): ?)\S.*$", re.IGNORECASE | re.MULTILINE
)
"""A header with a secret, on a line of its own, as Scrapy logs cookies with COOKIES_DEBUG."""
_BARE_USER = re.compile(
    r"(?<![\w.+%~/@-])(?P<secret>(?!(?:mailto|sips?|xmpp|acct|im|tel|urn):)[\w.+%~-]+:[^\s@/\\:\"'<>]+)@"
    r"(?=(?:[\w-]+\.)+[\w-]+|localhost\b|\[[\da-fA-F:.]+\])"
)
"""A login and host without a scheme, as some messages have it."""
_QUOTED_USER = re.compile(r"://(?P<secret>[^/?#@\s\"'<>:]*:(?!\d+[\"'])[^/?#@\s<>]*[\"'][^/?#@\s<>]*)@")
"""A password with a quotation mark, which would end a URL in text."""
SECRET_NAME = re.compile(
    r"KEY|SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|AUTH(?!ORS?\b|ORS?_)|COOKIES?$|_PASS$|_PWD$|^(?:PASS|PWD)$",
    re.IGNORECASE,
)
"""Names of settings, headers and JSON members whose value is a secret."""
_SETTING = re.compile(r"(?P<start>'(?P<name>[A-Z][A-Z0-9_]*)': )(?P<value>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")
"""A setting as Scrapy logs it."""
MASK = "***"
_WORD = re.compile(r"[^\s\"'<>]*[^\s\"'<>.,:;!?)\]}]")
"""A word that may be a URL, without the punctuation around it."""


def _names(exact: str) -> re.Pattern[str]:
    """Return the pattern that matches a secret parameter up to its value."""
    return re.compile(rf"{_START}(?:{_IN_WORD}?(?:{_IN_NAME}){_IN_WORD}|{exact}){_EQUALS}", re.IGNORECASE)


_PARAMETER = _names(_NAMES)
_PARAMETER_IF_EXPIRING = _names(f"{_NAMES}|{_NAMES_IF_EXPIRING}")


def mask_url(url: str) -> str:
    """Return ``url`` with its secrets masked and every other character kept; idempotent."""
    if not _SUSPICIOUS.search(url):
        return url
    for pattern in (_JWT, _ODD_USER, _USER, _NESTED_USER, _ENCODED_USER):
        url = pattern.sub(_masked_group, url)
    return _mask_parameters(url)


def is_masked(url: str) -> bool:
    """Return whether ``url`` seems to contain a masked secret, so that it cannot be requested."""
    return bool(re.search(r"~[0-9a-f]{8}(?![0-9a-f])", url))


def is_secret_name(name: str, *, if_expiring: bool = False) -> bool:
    """Return whether a parameter of this name is a secret; ``if_expiring``: in a URL with an expiry time."""
    return bool((_PARAMETER_IF_EXPIRING if if_expiring else _PARAMETER).fullmatch(f"?{name}="))


def has_expiry(url: str) -> bool:
    """Return whether ``url`` contains an expiry time."""
    return bool(_EXPIRY.search(url))


def mask_text(text: str) -> str:
    """Return ``text``, such as a log line, with the secrets of all URLs and headers in it masked."""
    if ":" in text:
        text = _SETTING.sub(_masked_setting, _HEADER.sub(r"\g<start>~", text))
    if not _SUSPICIOUS.search(text):
        return text
    text = _QUOTED_USER.sub(_masked_group, text)
    return _BARE_USER.sub(_masked_group, _WORD.sub(lambda word: mask_url(word[0]), text))


def _masked_setting(match: re.Match[str]) -> str:
    return match["start"] + (repr(MASK) if SECRET_NAME.search(match["name"]) else match["value"])


def _mask(secret: str) -> str:
    is_mask = re.fullmatch(r"~(?:[0-9a-f]{8})?", secret)
    return secret if is_mask else "~" + sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _masked_group(match: re.Match[str]) -> str:
    start, end = (position - match.start() for position in match.span("secret"))
    return match[0][:start] + _mask(match["secret"]) + match[0][end:]


def _mask_parameters(url: str) -> str:
    pattern = _PARAMETER_IF_EXPIRING if _EXPIRY.search(url) else _PARAMETER
    path_end = _PATH_END.search(url)
    path_length = path_end.start() if path_end else len(url)
    pieces, at = [], 0
    while found := pattern.search(url, at):
        value = _value_pattern(found, path_length).match(url, found.end())
        pieces += [url[at : found.end()], _mask(value[0]) if value else ""]
        at = value.end() if value else found.end()
    return "".join([*pieces, url[at:]])


def _value_pattern(parameter: re.Match[str], path_length: int) -> re.Pattern[str]:
    if not parameter[0].endswith("="):
        return _ENCODED_VALUE
    return _PATH_VALUE if parameter.start() < path_length else _QUERY_VALUE
