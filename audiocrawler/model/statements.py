"""A licence or copyright statement in a document or file."""

from dataclasses import dataclass

NOTICE = "_notice"
"""Suffix of places with a copyright notice, which does not contradict a licence beside it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The text, the URL or both, and the place where it was found: a name from the list in README."""

    text: str | None
    url: str | None
    found_in: str


def statement_of(value: str | None, found_in: str, *, url: str | None = None) -> Statement | None:
    """Return a Statement from a value that is a text or a URL; None if there is neither."""
    text = " ".join((value or "").split())[:1000] or None
    if text and text.startswith(("http://", "https://")) and " " not in text:
        text, url = (None, url or text) if url in (None, text) else (text, url)
    return Statement(text, url or None, found_in) if text or url else None
