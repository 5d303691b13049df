"""Tell copies of one recording, in other formats or bit rates, from its parts, languages and stems, by their names."""

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from audiocrawler.discovery.candidate import Find
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, FOLLOWED_EXTENSIONS, VIDEO_EXTENSIONS, extension_of
from audiocrawler.discovery.urls import strip_trackers

_MEDIA = AUDIO_EXTENSIONS | VIDEO_EXTENSIONS | FOLLOWED_EXTENSIONS.keys()
_SPLIT = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z][a-z])|(?<=[a-z]{3})(?=\d)|(?<=\d)(?=[A-Za-z]{3})")
_QUALITY = re.compile(
    r"(?:v?\d{2,3}k(?:b(?:it)?(?:ps)?|bs)?|\d{2,3}khz|\d{4,6}hz|\d{1,2}bit|q\d|hq|lq|hi|lo|hd|sd|hifi|lofi|high|low|medium"
    r"|small|large|big|vbr|cbr|abr|mono|stereo|kbps|kbit|kb|khz|bit|lossless|lossy|compressed|web|mobile|download|stream)"
)
_RATES = frozenset(("16", "24", "32", "48", "56", "64", "80", "96", "112", "128", "160", "192", "224", "256", "320"))
_STEM_NAMES = """
accompaniment acapella acappella bass cello clean close dialog dialogue drum drums effects far fx guitar instrumental
left mix music noise noisy piano right speech strings synth vocal vocals voice
"""
_STEMS = frozenset(_STEM_NAMES.split())
_LANGUAGE_NAMES = """
ar bg cs da de deu el en eng es est et fi fin fr fra fre ger he hr hu id it ita ja jp ko lt lv nl nld no pl pt por ro ru
rus sk sl spa sr sv swe th tr uk vi zh deutsch english espanol francais german french spanish italian
"""
_LANGUAGES = frozenset(_LANGUAGE_NAMES.split())
_MAX_CLASSES = 100
_MAX_PART_DIGITS = 3


@lru_cache(maxsize=64)
def copy_key(url: str) -> str:
    """Return a key that is equal for copies of one recording that are named after it.

    It is the name, and the folder around it, without format and bit rate; of a script's URL, the query without these.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    segments = strip_trackers(f"{parts.netloc}{parts.path}").split("/")[-2:]
    if extension_of(url) in _MEDIA:
        return "/".join(" ".join(_tokens(each)) for each in segments)
    pairs = (each for each in sorted(parts.query.split("&")) if _tokens(each.partition("=")[2]))
    query = (" ".join(_tokens(each)) for each in pairs)
    return "/".join([*(" ".join(_tokens(each)) for each in segments), *query])


_BY_DEFINITION = frozenset(("alternate_enclosure", "vendor_enclosure"))
"""What a feed's item has beside its enclosures, which are recordings of their own unless they are named alike."""


def group_copies(finds: Sequence[Find], item: str) -> None:
    """Group the files of a feed's item: its enclosures by their names, all others with the first of their language.

    Media RSS without a group is of the enclosure if it is the only one.
    """
    media = {copy_key(each.url) for each in finds if each.found_by == "media_content" and each.group is None}
    enclosures = [each for each in finds if each.found_by not in _BY_DEFINITION | {"media_content"}]
    own = {copy_key(each.url) for each in enclosures}
    is_only = len(media - own) == 1 == len(own)
    main = next(iter(enclosures or finds), None)
    for each in finds:
        key = copy_key(each.url)
        is_copy = each.found_by in _BY_DEFINITION or each.group is not None or (is_only and key in media)
        if main is not None and is_copy and key not in own:
            key = copy_key(main.url)
        each.group = f"{item} {key} {_primary(each.language)}".rstrip()


def split_copies(finds: Sequence[Find]) -> None:
    """Divide each group into the recordings that its names or languages tell apart.

    It is for groups that an author has made without a rule: the sources of a player, the formats in an object.
    """
    groups: dict[str, list[Find]] = {}
    for each in finds:
        if each.group is not None:
            groups.setdefault(each.group, []).append(each)
    for name, members in groups.items():
        if len(members) > 1:
            _divide(name, members)


def _divide(name: str, members: list[Find]) -> None:
    firsts: list[Find] = []
    for position, each in enumerate(members):
        number = next((n for n, first in enumerate(firsts) if not _are_different(first, each)), None)
        if number is None:
            number = len(firsts) if len(firsts) < _MAX_CLASSES else position
            firsts = [*firsts, each][:_MAX_CLASSES]
        each.group = name if number == 0 else f"{name} #{number}"


def _are_different(one: Find, other: Find) -> bool:
    languages = {_primary(each.language) for each in (one, other)} - {""}
    return len(languages) > 1 or _names_differ(one.url, other.url)


def _primary(language: str | None) -> str:
    return (language or "").lower().replace("_", "-").partition("-")[0]


def _names_differ(one: str, other: str) -> bool:
    """Return whether two names differ in one word only, and that is a number, a language or an instrument."""
    first, second = _tokens(_name(one)), _tokens(_name(other))
    different = [pair for pair in zip(first, second, strict=False) if pair[0] != pair[1]]
    if len(first) != len(second) or len(different) != 1:
        return False
    pair = different[0]
    if all(each.isdigit() and len(each) <= _MAX_PART_DIGITS for each in pair):
        return int(pair[0]) != int(pair[1]) and (len(first) > 1 or "" != extension_of(one) == extension_of(other))
    return all(each in _LANGUAGES for each in pair) or all(each in _STEMS for each in pair)


def _name(url: str) -> str:
    return url.partition("?")[0].partition("#")[0].rpartition("/")[2]


def _tokens(name: str) -> list[str]:
    """Return the words and numbers of a name in lower case, without format, bit rate and quality."""
    words = [word.lower() for word in _SPLIT.split(unquote(name)) if word]
    kept = [word for word in words if word not in _MEDIA and not _QUALITY.fullmatch(word)]
    return kept[:-1] if len(kept) > 1 and kept[-1] in _RATES else kept
