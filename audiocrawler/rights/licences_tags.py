"""The licence that a file's own tags state, under the names that FFmpeg and analysis/id3.py give them.

ID3v2.4 (sections 4.2.6, 4.3.1 and 4.22): TCOP, WCOP, WOAF, USER. Vorbis comments: LICENSE, COPYRIGHT. MP4: cprt.
RIFF: ICOP.
"""

from collections.abc import Iterator, Mapping

from audiocrawler.rights.licences import identify
from audiocrawler.statements import NOTICE, Statement, statement_of

PLACE = "file_tags"
_LICENSES = ("license", "licence", "license_url", "licenseurl", "wcop", "copyright_url", "user")
_NOTICES = ("copyright", "tcop", "cprt", "icop", "rights", "usageterms")
_MAYBE = ("woaf", "comment")
"""The page of the file and remarks: read where they name a licence, and about something else otherwise."""
_CREDITS = ("attribution", "credit", "copyright_holder", "organization")


def statements_in(tags: Mapping[str, str] | None) -> Iterator[Statement]:
    """Yield what tags with lower-case names state."""
    for name, value in (tags or {}).items():
        bare = name.partition(":")[0].partition("-")[0]
        if bare in _LICENSES:
            place = PLACE
        elif bare in _NOTICES:
            place = f"{PLACE}{NOTICE}"
        elif bare in _MAYBE and identify(value):
            place = PLACE
        else:
            continue
        if each := statement_of(value, place):
            yield each


def credit_in(tags: Mapping[str, str] | None) -> str | None:
    """Return whom the tags ask to name."""
    return next((value for name in _CREDITS if (value := (tags or {}).get(name))), None)
