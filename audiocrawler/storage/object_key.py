"""The hash and the extension of a file in; the name of its object out."""

import re

_SHA256 = re.compile(r"[0-9a-f]{64}")


def object_key(sha256: str, extension: str) -> str:
    """Return ``sha256/ab/cd/<64 hex>.<ext>``: two levels of folders, so that no folder gets long.

    Raises ValueError if ``sha256`` is not 64 lower-case hex digits.
    """
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}")
    return f"sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}.{extension}"
