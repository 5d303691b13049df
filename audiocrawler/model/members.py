"""The keys of rows for the members of archives: the archive's URL, and the member's path as its fragment."""

import re
from urllib.parse import quote, unquote_to_bytes

_SAFE = "/!$&'()*+,=:@~"
_MEMBER = re.compile(r"\.\w{1,8}(?:;\d+)?$")
"""How a fragment ends that is a member's path, and no place within a page."""


def member_url(archive_url: str, path: str, times: int = 1) -> str:
    """Return the key of a member's row; ``times`` tells members of the same path apart."""
    repeated = f";{times}" if times > 1 else ""
    return f"{archive_url}#{quote(path, safe=_SAFE, errors='surrogateescape')}{repeated}"


def split_member(url: str) -> tuple[str, str]:
    """Return the URL of the archive and the member's part of it, in one spelling; that is empty for any other URL."""
    archive_url, mark, fragment = url.partition("#")
    if not mark or not _MEMBER.search(fragment):
        return url, ""
    path, semicolon, number = fragment.partition(";")
    return archive_url, quote(unquote_to_bytes(path), safe=_SAFE) + semicolon + number
