"""Text of strangers in; text that tables, logs, terminals and exports can take out.

Letters of every script stay, with the joiners and marks that they need. What goes is what has no meaning of its own and
can do harm: control characters, which end texts or steer terminals, characters that turn the direction of what follows
(Unicode Standard Annex 9, section 2), halves of surrogate pairs and code points that XML forbids.
"""

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
    """Return ``text`` without what can do harm; newlines and tabs stay."""
    if text.isprintable():
        return str(text)
    return _HARMFUL.sub("", _SURROGATES.sub("\ufffd", text))


def storable_url(url: str, max_length: int) -> str:
    """Return ``url`` with what can do harm percent-encoded.

    One that is longer than ``max_length`` ends with ``~`` and 8 hex digits of its SHA-256, so that it stays distinct.
    """
    if not url.isprintable():
        url = _HARMFUL_IN_URL.sub(lambda found: quote(found[0]), _SURROGATES.sub("\ufffd", url))
    if len(url) <= max_length:
        return str(url)
    return f"{url[: max_length - _MARK_LENGTH]}~{sha256(url.encode()).hexdigest()[:8]}"


def one_line(text: str, max_length: int) -> str:
    """Return ``text`` on one line, without what can do harm, cut off after ``max_length`` characters."""
    return " ".join(storable(text[: 4 * max_length]).split())[:max_length]


def printable(text: str) -> str:
    """Return ``text`` for a log or a terminal: what can do harm is written as an escape, newlines and tabs stay."""
    if text.isprintable():
        return text
    return _HARMFUL_ON_TERMINAL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
