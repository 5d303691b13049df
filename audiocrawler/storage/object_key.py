"""The hash and the extension of a file in; the name of its object out, and found again in a URL."""

import re

ROOT = "sha256/"
"""What the name of every object begins with."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"sha256/([0-9a-f]{2})/([0-9a-f]{2})/\1\2[0-9a-f]{60}\.[0-9A-Za-z]+")


def object_key(sha256: str, extension: str) -> str:
    """Return ``sha256/ab/cd/<64 hex>.<ext>``: two levels of folders, so that no folder gets long.

    Raises ValueError if ``sha256`` is not 64 lower-case hex digits.
    """
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}")
    return f"{ROOT}{sha256[:2]}/{sha256[2:4]}/{sha256}.{extension}"


def key_in(url: str) -> str | None:
    """Return the name that an object's URL ends with, wherever its store is; None where it names no such object."""
    found = _KEY.search(url)
    return found[0] if found and found.end() == len(url) else None
