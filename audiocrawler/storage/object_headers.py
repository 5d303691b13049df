"""The name and the address of a file as found in; what may stand in the headers of its object out."""

import re
from urllib.parse import quote

from audiocrawler.masking import mask_url

MAX_SOURCE_URL = 1024
"""Characters of an address that are kept: all metadata of an object together must stay below 8 KiB."""

_UNSAFE_IN_QUOTES = re.compile(r'[^\x20-\x7e]|["\\/%]')
_ATTR_CHARS = "!#$&+.^_`|~-"
_URL_CHARS = "%/:?#[]@!$&'()*+,;=~"


def content_disposition(file_name: str) -> str:
    """Return a Content-Disposition under which a browser plays the object and saves it as ``file_name``.

    A name that is not plain ASCII follows a second time in UTF-8 (RFC 6266, RFC 8187).
    """
    plain = _UNSAFE_IN_QUOTES.sub("_", file_name)
    encoded = quote(file_name.replace("/", "_"), safe=_ATTR_CHARS, errors="replace")
    return f'inline; filename="{plain}"' + (f"; filename*=UTF-8''{encoded}" if plain != file_name else "")


def source_address(url: str) -> str:
    """Return ``url`` with its secrets masked, in printable ASCII, cut off after MAX_SOURCE_URL characters."""
    return quote(mask_url(url), safe=_URL_CHARS, errors="replace")[:MAX_SOURCE_URL]
