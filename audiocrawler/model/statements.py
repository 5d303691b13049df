"""A statement of a licence or of rights as a document or a file makes it."""

from dataclasses import dataclass

NOTICE = "_notice"
"""Ends the names of places where copyright is noted, which may be beside a licence and says nothing against it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The words, the URL, or both, and the place where they stand: a name from the list in README."""

    text: str | None
    url: str | None
    found_in: str


def statement_of(value: str | None, found_in: str, *, url: str | None = None) -> Statement | None:
    """Return a statement of a value that is a text or a URL; None if there is neither."""
    text = " ".join((value or "").split())[:1000] or None
    if text and text.startswith(("http://", "https://")) and " " not in text:
        text, url = (None, url or text) if url in (None, text) else (text, url)
    return Statement(text, url or None, found_in) if text or url else None
