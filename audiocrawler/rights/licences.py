"""Recognise licences by their text or URL (SPDX identifiers where there are any) and combine several statements."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.statements import NOTICE, Statement, statement_of

ALL_RIGHTS_RESERVED = "all-rights-reserved"
PUBLIC_DOMAIN = "public-domain"

_KNOWN = tomllib.loads((files(__package__) / "licences.toml").read_text("utf-8"))
NAMES: dict[str, list[str]] = _KNOWN["names"]
URLS: dict[str, str] = _KNOWN["urls"]
PORTS: dict[str, str] = _KNOWN["ports"]
MAX_LENGTH = 1000
"""Longest text that is read, in characters; longer ones are about something else."""
_KINDS = frozenset(("BY", "BY-SA", "BY-ND", "BY-NC", "BY-NC-SA", "BY-NC-ND"))
_VERSIONS = frozenset(("1.0", "2.0", "2.1", "2.5", "3.0", "4.0"))
_URL = re.compile(
    r"(?:https?:)?//[^\s<>\"'()]+|(?<![\w.])(?:www\.)?(?:creativecommons|rightsstatements)\.org/[^\s<>\"'()]+",
    re.IGNORECASE,
)
_CC_URL = re.compile(r"creativecommons\.org/licen[sc]es/([a-z-]+)(?:/(\d\.\d))?(?:/([a-z]{2,3}|scotland))?(?=[/?#]|$)")
_CC_DOMAIN_URL = re.compile(
    r"creativecommons\.org/(?:publicdomain|licenses)/(zero|mark|publicdomain)(?:/1\.0)?(?=[/?#]|$)"
)
_CC_DOMAIN = {"zero": "CC0-1.0", "mark": "CC-PDM-1.0", "publicdomain": "CC-PDDC"}
_STATEMENT_URL = re.compile(r"rightsstatements\.org/(?:vocab|page)/([A-Za-z-]+)/(\d\.\d)(?=[/?#]|$)", re.IGNORECASE)
_STATEMENTS: tuple[str, ...] = tuple(_KNOWN["rightsstatements"]["names"])
_STATEMENT_NAMES = {name.lower(): name for name in _STATEMENTS}
_ELEMENT = (
    r"(?:by|attribution|nc|non[ -]?commercial|nd|no[ -]?deriv(?:ative|atives|s)?(?: works)?|sa"
    r"|share[ -]?alike)(?![a-z])"
)
_ELEMENTS = rf"(?P<kind>{_ELEMENT}(?:[ ,/_+-]+{_ELEMENT})*)"
_VERSION = r"(?:[ _-]*(?:licen[sc]e)?[ ,_-]*(?:v|version )?(?P<version>\d\.\d)(?![.\d]))?"
_PORT = rf"(?: (?P<port>{'|'.join(PORTS)})(?![a-z])|-(?P<code>[a-z]{{2}})(?![a-z]))?"
_CC_WORDS = re.compile(rf"(?<![a-z])(?:cc|creative commons)[ :_-]*(?:licen[sc]es?[ :_-]*)?{_ELEMENTS}{_VERSION}{_PORT}")
_BARE_WORDS = re.compile(
    rf"(?=attribution){_ELEMENTS} (?P<version>\d\.\d){_PORT}(?: (?:international|unported|generic))?(?: licen[sc]e)?"
)
_BARE_CODE = re.compile(r"(?P<kind>by(?:-nc)?(?:-nd|-sa)?)(?:[ _-]v?(?P<version>\d\.\d))?")
"""How programs that know only Creative Commons write a licence: Openverse, Flickr, Wikimedia."""
_CC_ZERO = re.compile(r"(?<![a-z])(?:cc|creative commons)[ _-]?(?:0|zero)(?![\w]|\.\d(?<!1\.0))")
_DOUBT = re.compile(r"\b(?:not|except|unless|otherwise|cannot|isn't|dual|nicht|sauf)\b")
_DASHES = str.maketrans("\u2010\u2011\u2012\u2013\u2014", "-----")
_SHORT = 80
_RESERVED = re.compile(r"\ball rights (?:are )?reserved\b|\balle rechte vorbehalten\b|\btous droits réservés\b")
_DOMAIN = re.compile(r"\bpublic domain\b(?! mark)")
_DOMAIN_MARK = re.compile(r"\bpublic domain mark\b")
_CC_IDENTIFIER = re.compile(r"CC-(BY[A-Z-]*?)(?:-(\d\.\d)(?:-([A-Z]{2,3}|SCOTLAND))?)?")
_OTHERS = frozenset((*NAMES, *_CC_DOMAIN.values(), ALL_RIGHTS_RESERVED, PUBLIC_DOMAIN))


def identify(wording: str | None) -> str | None:
    """Return the identifier of the licence that a text or URL names; None if it names none, several or unknown ones."""
    text = (wording or "")[:MAX_LENGTH].strip()
    urls = _URL.findall(text)
    words = " ".join(_URL.sub(" ", text).lower().translate(_DASHES).split())
    if _DOUBT.search(words):
        return None
    found = {_of_url(url) for url in urls} | _in_words(words)
    named = most_precise(each for each in found if each)
    return next(iter(named)) if len(named) == 1 else None


def most_precise(identifiers: Iterable[str]) -> set[str]:
    """Return the identifiers without those that another one specifies further: no CC-BY beside CC-BY-4.0."""
    all_named = set(identifiers)
    return {one for one in all_named if not any(_completes(other, one) for other in all_named)}


def is_identifier(text: str) -> bool:
    """Return whether ``identify`` can return this identifier."""
    if match := _CC_IDENTIFIER.fullmatch(text):
        return match[1] in _KINDS and (match[2] is None or match[2] in _VERSIONS)
    name = text.removeprefix("rightsstatements-").removesuffix("-1.0")
    return text in _OTHERS or (name in _STATEMENTS and text == f"rightsstatements-{name}-1.0")


def _completes(longer: str, shorter: str) -> bool:
    rest = longer.removeprefix(f"{shorter}-")
    return (
        rest != longer
        and re.fullmatch(r"(?:\d\.\d|[A-Z]{2,3}$)(?:-\w+)?", rest) is not None
        and rest not in ("NC", "ND", "SA")
    )


def _of_url(url: str) -> str | None:
    place = (
        url.lower().rstrip(".,;").removeprefix("https:").removeprefix("http:").removeprefix("//").removeprefix("www.")
    )
    if match := _CC_DOMAIN_URL.match(place):
        return _CC_DOMAIN[match[1]]
    if match := _CC_URL.match(place):
        return _creative_commons(match[1].split("-"), match[2], match[3])
    if match := _STATEMENT_URL.match(place):
        name = _STATEMENT_NAMES.get(match[1])
        return f"rightsstatements-{name}-{match[2]}" if name else None
    return URLS.get(place.removesuffix(".html").rstrip("/"))


def _in_words(words: str) -> set[str | None]:
    matches = [*_CC_WORDS.finditer(words), *filter(None, [_BARE_WORDS.fullmatch(words)])]
    found: set[str | None] = {_of_words(match) for match in matches}
    if code := _BARE_CODE.fullmatch(words):
        found.add(_creative_commons(code["kind"].split("-"), code["version"], None))
    if _CC_ZERO.search(words):
        found.add("CC0-1.0")
    elif _DOMAIN_MARK.search(words):
        found.add("CC-PDM-1.0")
    elif _DOMAIN.search(words) and len(words) <= _SHORT:
        found.add(PUBLIC_DOMAIN)
    if _RESERVED.search(words):
        found.add(ALL_RIGHTS_RESERVED)
    found |= {identifier for identifier, names in NAMES.items() if words in names}
    return found


def _of_words(match: re.Match[str]) -> str | None:
    elements = [_letters(each) for each in re.findall(_ELEMENT, match["kind"])]
    port = PORTS[match["port"]] if match["port"] else match["code"]
    return _creative_commons(elements, match["version"], port if match["version"] else None)


def _letters(element: str) -> str:
    plain = element.replace(" ", "").replace("-", "")
    first = {"a": "by", "b": "by", "s": "sa"}.get(plain[0])
    return first or ("nc" if plain.startswith(("nc", "nonc")) else "nd")


def _creative_commons(elements: list[str], version: str | None, port: str | None) -> str | None:
    kind = "-".join(name for name in ("BY", "NC", "SA", "ND") if name.lower() in elements)
    if kind not in _KINDS or len(elements) != len(set(elements)) or (version and version not in _VERSIONS):
        return None
    return "-".join(filter(None, ("CC", kind, version, port.upper() if port else None)))


BETWEEN = " | "
_UNKNOWN = "?"
_MAX_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Stated:
    """The combined licence statements about one file, by column of its source.

    ``found_in`` lists the places in order. A recognised licence's identifier follows its place, as in
    ``json_ld=CC-BY-4.0``; beside one, an unrecognised licence is a ``?``. ``license`` is the one that all places state;
    None together with an identifier in ``found_in`` is a conflict.
    """

    license: str | None = None
    url: str | None = None
    raw: str | None = None
    found_in: str | None = None

    @property
    def is_conflict(self) -> bool:
        """Return whether the statements name different licences."""
        return self.license is None and "=" in (self.found_in or "")

    @property
    def identifiers(self) -> list[str]:
        """Return the stated licences, in the order of the places."""
        return list(dict.fromkeys(name for _, name in _entries(self.found_in) if name))


def with_statements(before: Stated, statements: Iterable[Statement]) -> Stated:
    """Return ``before`` with these statements added."""
    statements = list(statements)
    entries = list(dict.fromkeys([*_entries(before.found_in), *(each for one in statements for each in _named(one))]))
    identifiers = most_precise(name for _, name in entries if name)
    unknown = [place for place, name in entries if name is None and not place.endswith(NOTICE)]
    is_agreed = len(identifiers) == 1 and not unknown
    raw = [*(before.raw.split(BETWEEN) if before.raw else ()), *(_raw(one) for one in statements)]
    agreed = next(iter(identifiers)) if is_agreed else None
    return Stated(
        license=agreed,
        url=None if identifiers and not is_agreed else _url_of(agreed, before.url, statements),
        raw=BETWEEN.join(dict.fromkeys(raw))[:_MAX_LENGTH] or None,
        found_in=BETWEEN.join(_written(*entry, beside=bool(identifiers)) for entry in entries) or None,
    )


def _named(statement: Statement) -> Iterator[tuple[str, str | None]]:
    names = {identify(statement.url), identify(statement.text)} - {None}
    for name in sorted(most_precise(name for name in names if name)):
        yield statement.found_in, name
    if not names:
        yield statement.found_in, None


def _entries(found_in: str | None) -> Iterator[tuple[str, str | None]]:
    for entry in found_in.split(BETWEEN) if found_in else ():
        place, _, name = entry.partition("=")
        yield place, name if name and name != _UNKNOWN else None


def _written(place: str, name: str | None, *, beside: bool) -> str:
    if name:
        return f"{place}={name}"
    return f"{place}={_UNKNOWN}" if beside and not place.endswith(NOTICE) else place


def _raw(statement: Statement) -> str:
    parts = [statement.text, statement.url if (statement.url or "") not in (statement.text or "") else None]
    return " ".join(filter(None, parts))


def _url_of(agreed: str | None, before: str | None, statements: list[Statement]) -> str | None:
    """Return the first URL of the agreed licence; without one, the first URL of an unrecognised licence."""
    named = [before, *(one.url for one in statements if not one.found_in.endswith(NOTICE))]
    fitting = (url for url in named if url and (agreed is None or _fits(identify(url), agreed)))
    return next(fitting, None)


def _fits(of_url: str | None, agreed: str) -> bool:
    return of_url is not None and agreed in most_precise((of_url, agreed))


PLACE = "file_tags"
_LICENSES = ("license", "licence", "license_url", "licenseurl", "wcop", "copyright_url", "user")
_NOTICES = ("copyright", "tcop", "cprt", "icop", "rights", "usageterms")
_MAYBE = ("woaf", "comment")
"""The file's page and comments: read only where they name a licence."""
_CREDITS = ("attribution", "credit", "copyright_holder", "organization")


def statements_in(tags: Mapping[str, str] | None) -> Iterator[Statement]:
    """Yield the licence statements in a file's tags (lower-case names)."""
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
    """Return whom to credit according to the tags."""
    return next((value for name in _CREDITS if (value := (tags or {}).get(name))), None)


def wanted_licences(setting: str | list[str] | None, named_by: str = "AUDIO_LICENSES=") -> frozenset[str]:
    """Return the identifiers in AUDIO_LICENSES, empty for all; raises ConfigurationError for an unknown one."""
    names = setting if isinstance(setting, list) else re.split(r"[,\s]+", setting or "")
    wanted = frozenset(name for name in names if name)
    for name in sorted(wanted):
        if not is_identifier(name):
            raise ConfigurationError(
                f"{named_by}{name}: unknown licence; write for example CC0-1.0, CC-BY-4.0 or CC-BY-SA-3.0-DE"
            )
    return wanted


def refusal_before(stated: Stated, wanted: frozenset[str]) -> str | None:
    """Return why the page's statements rule out a download; None if they do not."""
    return refusal(stated, wanted) if wanted and stated.identifiers else None


def refusal(stated: Stated, wanted: frozenset[str]) -> str | None:
    """Return why a file's licence statements rule it out; None if it is wanted."""
    if not wanted or stated.license in wanted:
        return None
    if stated.license:
        return f"licence {stated.license} is not in AUDIO_LICENSES"
    if stated.is_conflict:
        return f"conflicting licences ({stated.found_in})"
    return f"no recognised licence ({stated.raw})" if stated.raw else "no licence found"
