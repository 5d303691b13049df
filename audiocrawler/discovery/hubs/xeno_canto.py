"""Recordings of xeno-canto, by its API.

Documented: xeno-canto.org/explore/api (v3: ``query`` of tags, ``key``, ``page``, ``per_page``; members of an answer).
v3 takes the key in the URL only; as ``key=`` it is masked in rows and logs. Without XENO_CANTO_KEY the pages themselves
are searched.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from audiocrawler.discovery.candidate import ELEMENT, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import Address, Hub, follow, listed, next_page, stated, text, with_query
from audiocrawler.discovery.values import duration_ms, published_at, whole_number

NAME = "xeno_canto"
_KEY = "XENO_CANTO_KEY"
_NUMBER = re.compile(r"(?:XC)?(\d+)", re.IGNORECASE)


def start(address: Address, environment: Mapping[str, str]) -> Find | None:
    """Return the recordings of a search, of a species, or the one with a number."""
    key, words = environment.get(_KEY), _words(address)
    if not address.is_at("xeno-canto.org") or not key or not words:
        return None
    return follow(
        NAME, with_query(f"{address.origin}/api/3/recordings", query=words, per_page="500", page="1", key=key)
    )


def _words(address: Address) -> str | None:
    match address.segments:
        case ("explore",):
            return address.query.get("query")
        case ("species", name) if "-" in name:
            genus, _, species = name.partition("-")
            return f'gen:"{genus}" sp:"{species}"'
        case (number,) if match := _NUMBER.fullmatch(number):
            return f"nr:{match[1]}"
    return None


def find(document: Document) -> Iterator[Find] | None:
    """Return the recordings of an answer of v2 or v3, and its next page."""
    value = document.json
    recordings = listed(value, "recordings")
    is_ours = (
        isinstance(value, dict)
        and {"numPages", "recordings"} <= value.keys()
        and all("file" in each for each in recordings)
    )
    return _recordings(document, value, recordings) if is_ours else None


def _recordings(document: Document, value: dict[str, Any], recordings: list[dict[str, Any]]) -> Iterator[Find]:
    for each in recordings:
        if url := text(each, "file"):  # empty where the species is protected
            yield _recording(each, url)
    page, pages = (whole_number(value.get(name)) or 1 for name in ("page", "numPages"))
    if recordings and page < pages:
        yield next_page(NAME, with_query(document.url, page=str(page + 1)))


def _recording(each: dict[str, Any], url: str) -> Find:
    species = " ".join(filter(None, (text(each, name) for name in ("gen", "sp", "ssp"))))
    licence = text(each, "lic")
    return Find(
        url=f"https:{url}" if url.startswith("//") else url,
        found_by=NAME,
        confidence=ELEMENT,
        expected=Kind.AUDIO,
        title=" - ".join(filter(None, (text(each, "en"), species, text(each, "type")))) or None,
        artist=text(each, "rec"),
        duration_ms=duration_ms(text(each, "length")),
        statements=stated(None, url=licence) if licence and "//" in licence else stated(licence),
        published_at=published_at(text(each, "date")),
        link_text=text(each, "file-name"),
    )


HUB = Hub(
    name=NAME,
    title="xeno-canto searches, species and recordings",
    examples=("https://xeno-canto.org/explore?query=WORDS", "https://xeno-canto.org/species/Turdus-merula"),
    start=start,
    find=find,
    variables=(_KEY,),
)
