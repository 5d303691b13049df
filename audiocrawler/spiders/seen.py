"""From what the browser has seen of a page to candidates, by the same finders as for plain documents."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from hashlib import blake2b
from urllib.parse import urlsplit

from lxml import etree

from audiocrawler.discovery import Candidate, Document, Kind, find_in
from audiocrawler.discovery.candidate import ELEMENT, Description, Find
from audiocrawler.discovery.document import parse
from audiocrawler.discovery.group import merge
from audiocrawler.discovery.media_types import MEDIA_NAME, VIDEO_EXTENSIONS, extension_of
from audiocrawler.discovery.sniff import DocumentType, sniff
from audiocrawler.rendering.seen import How, Seen, SeenText, SeenUrl

MAX_KNOWN = 2_000
"""URLs of the plain document that the request for the rendered one carries along."""
_NAMES = {"data": "json", "script": "script"}
_WANTED = {
    "markup": frozenset((Kind.AUDIO, Kind.STREAM, Kind.PLAYLIST, Kind.MANIFEST, Kind.EMBED)),
    "data": frozenset((Kind.AUDIO, Kind.STREAM, Kind.PLAYLIST, Kind.MANIFEST)),
    "script": frozenset((Kind.AUDIO, Kind.STREAM, Kind.MANIFEST)),
}
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def digest(url: str) -> str:
    """Return a short name of a URL that tells nothing of it."""
    return blake2b(url.encode("utf-8", "replace"), digest_size=6).hexdigest()


def seen_candidates(
    shown: Iterable[Candidate], seen: Seen, document: Document, finders: Mapping[str, int | None], known: Iterable[str]
) -> list[Candidate]:
    """Return what ``shown``, the candidates of the rendered document, and all else that was seen lead to.

    Audio, playlists and players among ``known``, the digests of what the plain document told, are left out; the names
    of the others in ``found_by`` begin with ``browser_``.
    """
    by_url: dict[str, Candidate] = {}
    for candidate in (*map(_from_browser, shown), *_in_texts(seen, finders), *_in_urls(seen, document)):
        first = by_url.setdefault(candidate.url, candidate)
        if first is not candidate:
            _fill(first, candidate)
    told = set(known)
    return [each for url, each in by_url.items() if digest(url) not in told]


def _from_browser(candidate: Candidate) -> Candidate:
    if candidate.kind in _WANTED["markup"]:
        candidate.found_by = f"browser_{candidate.found_by}"
    return candidate


def _in_texts(seen: Seen, finders: Mapping[str, int | None]) -> Iterator[Candidate]:
    for text in seen.texts:
        if text.kind == "script" and not MEDIA_NAME.search(text.text):
            continue
        for candidate in find_in(_document(text, seen.url), finders):
            if candidate.kind not in _WANTED[text.kind]:
                continue
            candidate.found_by = (
                f"browser_{candidate.found_by}" if text.kind == "markup" else f"browser_{_NAMES[text.kind]}"
            )
            yield candidate


def _document(text: SeenText, page_url: str) -> Document:
    if text.kind == "markup":
        url = text.url if text.url.startswith("http") else page_url
        return parse(text.text, url, DocumentType.HTML)
    if text.kind == "script":
        return _script(text, page_url)
    kind = sniff(text.text, text.content_type, text.url)
    if kind in {DocumentType.HTML, DocumentType.XML}:
        return parse(text.text, text.url, kind, base_url=page_url)
    # A script resolves what it reads against its page, a player a playlist against the playlist.
    return Document(text.url, text.text, kind, base_url="" if kind is DocumentType.PLAYLIST else page_url)


def _script(text: SeenText, page_url: str) -> Document:
    root = etree.Element("html")
    etree.SubElement(root, "script").text = _UNREADABLE.sub("", text.text)
    return Document(text.url, text.text, DocumentType.HTML, root, "html", page_url)


def _in_urls(seen: Seen, document: Document) -> Iterator[Candidate]:
    manifests = [each for each in seen.urls if each.how is How.MANIFEST]
    listed = "\n".join(text.text for text in seen.texts if "#EXTM3U" in text.text[:100])
    finds = (_find(each) for each in seen.urls if not (manifests and _is_segment(each, manifests, listed)))
    for candidate in merge(document, finds):
        if candidate.kind in _WANTED["data"]:
            yield candidate


def _find(seen: SeenUrl) -> Find:
    is_sure = seen.how in {How.PLAYER, How.REQUEST} and not (
        seen.is_by_script and extension_of(seen.url) in VIDEO_EXTENSIONS - {"ts"}
    )
    expected = Kind.MANIFEST if seen.how is How.MANIFEST else Kind.AUDIO if is_sure else None
    mime_type = seen.mime_type if seen.how is not How.MANIFEST else None
    return Find(
        url=seen.url, found_by=f"browser_{seen.how}", confidence=ELEMENT, expected=expected, mime_type=mime_type
    )


def _is_segment(seen: SeenUrl, manifests: list[SeenUrl], listed: str) -> bool:
    """Return whether a script asked for this because a manifest that is taken lists it."""
    if not seen.is_by_script:
        return False
    name = urlsplit(seen.url).path.rpartition("/")[2]
    return name in listed or any(seen.url.startswith(each.url.rpartition("/")[0] + "/") for each in manifests)


def _fill(candidate: Candidate, other: Candidate) -> None:
    """Fill the gaps in what is said of a candidate."""
    for field in fields(Description):
        if getattr(candidate, field.name) is None:
            setattr(candidate, field.name, getattr(other, field.name))
