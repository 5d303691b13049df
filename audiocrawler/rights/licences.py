"""A wording or URL in, the identifier of the licence out: SPDX's where it has one, never a guess.

Creative Commons: creativecommons.org/licenses/list.en, and their names in English. A name without a version gives an
identifier without one, such as CC-BY; CC0 exists in version 1.0 only. Rights statements: rightsstatements.org/page/1.0.
"""

import re
from collections.abc import Iterable

from audiocrawler.rights.licences_known import ALL_RIGHTS_RESERVED, NAMES, PORTS, PUBLIC_DOMAIN, URLS

MAX_LENGTH = 1000
"""Longer wordings are texts about something else; they are cut."""
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
_STATEMENTS = (
    "InC",
    "InC-OW-EU",
    "InC-EDU",
    "InC-NC",
    "InC-RUU",
    "NoC-CR",
    "NoC-NC",
    "NoC-OKLR",
    "NoC-US",
    "CNE",
    "UND",
    "NKC",
)
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
    """Return the identifier of the one licence that a text or URL names; None for none, several and unknown ones."""
    text = (wording or "")[:MAX_LENGTH].strip()
    urls = _URL.findall(text)
    words = " ".join(_URL.sub(" ", text).lower().translate(_DASHES).split())
    if _DOUBT.search(words):
        return None
    found = {_of_url(url) for url in urls} | _in_words(words)
    named = most_precise(each for each in found if each)
    return next(iter(named)) if len(named) == 1 else None


def most_precise(identifiers: Iterable[str]) -> set[str]:
    """Return the identifiers without those that another completes: CC-BY where CC-BY-4.0 is named as well."""
    all_named = set(identifiers)
    return {one for one in all_named if not any(_completes(other, one) for other in all_named)}


def is_identifier(text: str) -> bool:
    """Return whether ``identify`` can give this identifier."""
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
