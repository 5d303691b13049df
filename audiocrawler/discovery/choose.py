"""Choose one of the alternates of a recording."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from audiocrawler.discovery.candidate import Candidate, Kind, Role
from audiocrawler.discovery.kinds import LOSSLESS_EXTENSIONS, bare_type, extension_of

_LOSSLESS_TYPE = re.compile(r"audio/(?:x-)?(?:aiff|flac|wav|wave)|audio/vnd\.wave")
_RATE_IN_NAME = re.compile(
    r"(?<!\d)(\d{2,3})[ _-]?k(?:b(?:it)?(?:ps)?)?(?![a-z])|(?<=mp3[-_])(\d{2,3})(?!\d)", re.IGNORECASE
)
_USUAL_BIT_RATE_BPS = 128_000
_AD_INSERTING_HOST = re.compile(
    r"^(?:injector|stitcher\d*)\.|(?:^|\.)(?:adswizz\.com|dovetail\.prxu\.org|tritondigital\.com)$", re.IGNORECASE
)
_DERIVED = re.compile(r"/transcoded/", re.IGNORECASE)

Rank = tuple[bool, bool, bool, bool, bool, int, int]


def choose(candidates: Iterable[Candidate]) -> Iterator[tuple[Candidate, bool]]:
    """Yield each candidate, in order, and whether it is the best of its group.

    The first rule that distinguishes two decides: audio before video, whole recordings before previews, without
    inserted advertisements before with them, originals before derivatives, lossless before lossy, the higher bit rate,
    the larger file, the author's order. A candidate without a group is always chosen.
    """
    candidates = list(candidates)
    best: dict[str, Candidate] = {}
    for each in candidates:
        if each.group is not None and (each.group not in best or rank(each) < rank(best[each.group])):
            best[each.group] = each
    for each in candidates:
        yield each, each.group is None or best[each.group] is each


def rank(candidate: Candidate) -> Rank:
    """Return the sort key of candidates of one recording, the best first."""
    parts = urlsplit(candidate.url)
    return (
        candidate.kind is Kind.VIDEO,
        candidate.role is Role.PREVIEW,
        bool(_AD_INSERTING_HOST.search(parts.hostname or "")),
        candidate.is_derivative or bool(_DERIVED.search(parts.path)),
        not is_lossless(candidate),
        -_bit_rate_bps(candidate),
        -(candidate.size_bytes or 0),
    )


def is_lossless(candidate: Candidate) -> bool:
    """Return whether the extension, or without one the declared type, is that of a lossless format."""
    extension = extension_of(candidate.url)
    return extension in LOSSLESS_EXTENSIONS or bool(
        not extension and _LOSSLESS_TYPE.fullmatch(bare_type(candidate.mime_type))
    )


def _bit_rate_bps(candidate: Candidate) -> int:
    """Return the bit rate as declared, from the name, or from size and duration; else a typical one."""
    if candidate.bit_rate_bps:
        return candidate.bit_rate_bps
    parts = urlsplit(candidate.url)
    named = _RATE_IN_NAME.findall(unquote("/".join(parts.path.split("/")[-2:])))
    if named:
        return int(named[-1][0] or named[-1][1]) * 1000
    if candidate.size_bytes and candidate.duration_ms:
        return candidate.size_bytes * 8000 // candidate.duration_ms
    return _USUAL_BIT_RATE_BPS
