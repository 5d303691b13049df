"""Sounds, packs, users and searches of Freesound, by its API v2.

Documented: freesound.org/docs/api (resources_apiv2: "Text Search", "Sound instance", "Pack sounds"; authentication:
``Authorization: Token``). The original files need OAuth2, which a token is not: the previews are taken, which
are whole. Without FREESOUND_TOKEN the pages themselves are searched.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from audiocrawler.discovery.candidate import ELEMENT, Find, Kind, Role
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import (
    Address,
    Hub,
    Token,
    follow,
    inner,
    listed,
    next_page,
    path_of,
    stated,
    text,
    with_query,
)
from audiocrawler.discovery.values import duration_ms, published_at

NAME = "freesound"
_FIELDS = "id,name,username,license,created,duration,previews"
_RATES_BPS = {"hq": 192_000, "lq": 64_000}


def start(address: Address, environment: Mapping[str, str]) -> Find | None:
    """Return the sound, or the first page of a pack's, user's or search's sounds."""
    if not address.is_at("freesound.org") or not environment.get("FREESOUND_TOKEN") or (path := _path(address)) is None:
        return None
    url = f"{address.origin}/apiv2/{path}/"
    if path.startswith("search"):
        url = with_query(url, query=address.query["q"])
    return follow(NAME, with_query(url, fields=_FIELDS, page_size="150"))


def _path(address: Address) -> str | None:
    match address.segments:
        case ("people", _, "sounds", number) | ("s", number):
            return f"sounds/{path_of(number)}"
        case ("people", _, "packs", number):
            return f"packs/{path_of(number)}/sounds"
        case ("people", name) | ("people", name, "sounds"):
            return f"users/{path_of(name)}/sounds"
        case ("search",) if address.query.get("q"):
            return "search/text"
    return None


def find(document: Document) -> Iterator[Find] | None:
    """Return the previews of one or several sounds; those of a sound are alternates."""
    value = document.json
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("previews"), dict) and "name" in value:
        return _sound(value)
    results = listed(value, "results")
    is_ours = any(isinstance(each.get("previews"), dict) for each in results)
    is_brief = "/apiv2/" in document.url and any({"id", "name", "username"} <= each.keys() for each in results)
    return _results(document, value, results) if is_ours or is_brief else None


def _results(document: Document, value: dict[str, Any], results: list[dict[str, Any]]) -> Iterator[Find]:
    for each in results:
        if isinstance(each.get("previews"), dict):
            yield from _sound(each)
        elif number := text(each, "id"):
            place = document.url.partition("/apiv2/")[0]
            yield follow(NAME, f"{place}/apiv2/sounds/{path_of(number)}/?fields={_FIELDS}")
    if url := text(value, "next"):
        yield next_page(NAME, url)


def _sound(sound: dict[str, Any]) -> Iterator[Find]:
    for key, url in inner(sound, "previews").items():
        if isinstance(url, str):
            yield Find(
                url=url,
                found_by=NAME,
                confidence=ELEMENT,
                expected=Kind.AUDIO,
                role=Role.PREVIEW,
                group=f"freesound {text(sound, 'id') or text(sound, 'name')}",
                title=text(sound, "name"),
                artist=text(sound, "username"),
                duration_ms=duration_ms(sound.get("duration")),
                bit_rate_bps=next((rate for name, rate in _RATES_BPS.items() if name in key.lower()), None),
                statements=stated(text(sound, "license")),
                published_at=published_at(text(sound, "created")),
            )


HUB = Hub(
    name=NAME,
    title="Freesound sounds, packs, users and searches",
    examples=("https://freesound.org/people/USER/sounds/12345/", "https://freesound.org/search/?q=WORDS"),
    start=start,
    find=find,
    token=Token(variable="FREESOUND_TOKEN", hosts=("freesound.org",), form="Token {}"),
)
