"""Merge finds into one candidate per URL, and group alternates."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from hashlib import blake2b
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from audiocrawler.discovery.candidate import DESCRIBED, UNRESOLVED, Candidate, Find, Kind, Role, Texts, fill
from audiocrawler.discovery.document import Document, one_line
from audiocrawler.discovery.hubs import behind
from audiocrawler.discovery.kinds import classify, is_endless, kind_of_type
from audiocrawler.discovery.page_about import add_page_description
from audiocrawler.discovery.page_statements import add_page_statements
from audiocrawler.discovery.roles import names_read_aloud, role_of
from audiocrawler.discovery.urls import absolute, file_key, key_of
from audiocrawler.model.statements import Statement

_TAKEN_OVER = ("found_by", "confidence", "role", "relation", "is_in_script", "is_certain_audio", "collection")
_described_in, _taken_over_from = attrgetter(*DESCRIBED), attrgetter(*_TAKEN_OVER)
_MOST_RESOLVED = 65_536
"""Several finders yield the URLs of a document, one after the other."""
_GROUPED = frozenset((Kind.AUDIO, Kind.VIDEO, Kind.MANIFEST))
_TEXTS = ("title", "artist", "language", "link_text", "guid", "show_title")
_URLS = ("transcript_url", "chapters_url", "episode_url", "image_url")


def merge(document: Document, finds: Iterable[Find]) -> Iterator[Candidate]:
    """Yield one candidate per URL. The find with the highest confidence decides; the others fill its gaps."""
    own = key_of(document.url) if "://" in document.url else document.url
    candidates: dict[str, Candidate] = {}
    keys: dict[str, str] = {}
    groups = Groups()
    shown: set[str] = set()
    resolved = lru_cache(maxsize=_MOST_RESOLVED)(partial(_resolved, document.base_url))  # pages repeat URLs
    for find in finds:
        place = resolved(find.url, find.mime_type, find.expected)
        if place is None or (key := place.key) == own:
            continue
        candidate = _candidate(document, find, place)
        keys[find.url.strip()] = key
        if not find.hidden:
            shown.add(key)
        known = candidates.setdefault(key, candidate)
        if known is not candidate:
            candidates[key] = _merged(known, candidate)
        _note_groups(groups, key, find, candidate.kind)
    _set_streams(document, candidates)
    _set_roles(document, candidates, shown)
    add_page_statements(document, candidates, keys)
    grouped = list(_grouped(document, candidates, groups))
    add_page_description(document, grouped)
    yield from grouped


@dataclass(frozen=True, slots=True)
class _Place:
    """A URL as it is requested, the key that all its spellings share, and its kind."""

    url: str
    key: str
    kind: Kind


def _resolved(base_url: str, url: str, mime_type: str | None, expected: Kind | None) -> _Place | None:
    if expected in UNRESOLVED:
        return _Place(url, url, expected)
    absolute_url = absolute(base_url, url)
    if expected is Kind.ARCHIVE:
        return _Place(absolute_url, key_of(absolute_url), expected) if absolute_url else None
    if absolute_url is not None:
        absolute_url = behind(absolute_url, is_audio=Kind.AUDIO in {expected, kind_of_type(mime_type)})
    kind = classify(absolute_url, mime_type=mime_type, expected=expected, is_finite=True) if absolute_url else None
    return _Place(absolute_url, key_of(absolute_url), kind) if absolute_url and kind else None


def _candidate(document: Document, find: Find, place: _Place) -> Candidate:
    described: dict[str, Any] = dict(zip(DESCRIBED, _described_in(find), strict=True))
    for name in _TEXTS:
        if described[name] is not None:
            described[name] = one_line(described[name])
    for name in _URLS:
        if described[name]:
            described[name] = absolute(document.base_url, described[name])
    for name in ("transcripts", "people"):
        if described[name]:
            described[name] = _resolved_texts(document, described[name])
    if find.statements is not None:
        described["statements"] = tuple(_complete(document, each) for each in find.statements)
    described.update(zip(_TAKEN_OVER, _taken_over_from(find), strict=True))
    return Candidate(url=place.url, kind=place.kind, **described)


def _resolved_texts(document: Document, each_of: Texts) -> Texts | None:
    """Return the texts with absolute URLs, without those that have neither a name nor a URL."""
    resolved = [{name: _resolved_text(document, name, text) for name, text in each.items()} for each in each_of]
    named = [{name: text for name, text in each.items() if text} for each in resolved]
    return [each for each in named if each.get("name") or each.get("url")] or None


def _resolved_text(document: Document, name: str, text: str) -> str | None:
    return absolute(document.base_url, text) if name in ("url", "image") else one_line(text)


def _complete(document: Document, statement: Statement) -> Statement:
    url = absolute(document.base_url, statement.url) if statement.url else None
    return replace(statement, url=url, text=statement.text or (None if url else statement.url))


def _merged(one: Candidate, other: Candidate) -> Candidate:
    """Return the candidate with the higher confidence, else the first, its gaps filled from the other."""
    best, rest = (other, one) if other.confidence > one.confidence else (one, other)
    statements = one.statements if one.statements and not other.statements else other.statements
    if one.statements and other.statements:
        statements = tuple(dict.fromkeys([*one.statements, *other.statements]))
    fill(best, rest)
    best.statements = statements or None
    if best.role is Role.MAIN:
        best.role = rest.role
    if best.kind is Kind.VIDEO and rest.kind in (Kind.AUDIO, Kind.STREAM):
        best.kind = rest.kind
    if best.kind is Kind.AUDIO and rest.kind is Kind.STREAM:
        best.kind = Kind.STREAM
    return best


def _set_streams(document: Document, candidates: dict[str, Candidate]) -> None:
    """Mark the mount points of radio among the files; not on the page's own host, and not what has a length."""
    own_host = urlsplit(document.url).netloc.lower()
    for each in candidates.values():
        if each.kind is not Kind.AUDIO or each.duration_ms or each.size_bytes:
            continue
        if urlsplit(each.url).netloc.lower() != own_host and is_endless(each.url):
            each.kind = Kind.STREAM


def _set_roles(document: Document, candidates: dict[str, Candidate], shown: set[str]) -> None:
    about_speech = names_read_aloud(f"{document.url} {document.title or ''}") or "speech" in (document.title or "")
    for key, candidate in candidates.items():
        if candidate.kind is Kind.AUDIO and candidate.role is Role.MAIN:
            candidate.role = role_of(candidate.url, hidden=key not in shown, about_speech=about_speech)


class Groups:
    """Disjoint sets of names: URLs and the groups that they are in."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def root(self, name: str) -> str:
        """Return the representative of the set that contains ``name``."""
        while (parent := self._parents.get(name, name)) != name:
            self._parents[name] = self._parents.get(parent, parent)
            name = parent
        return name

    def join(self, one: str, other: str) -> None:
        """Merge the sets of two names; the smaller root represents it."""
        first, second = sorted((self.root(one), self.root(other)))
        self._parents[second] = first


def _note_groups(groups: Groups, key: str, find: Find, kind: Kind) -> None:
    if kind not in _GROUPED:
        return
    if kind is not Kind.MANIFEST:
        groups.join(key, f"file {file_key(key)}")
    if find.group is not None:
        groups.join(key, f"{'manifest' if kind is Kind.MANIFEST else 'file'} group {find.group}")


def _grouped(document: Document, candidates: dict[str, Candidate], groups: Groups) -> Iterator[Candidate]:
    roots = {key: groups.root(key) for key, each in candidates.items() if each.kind in _GROUPED}
    sizes = Counter(roots.values())
    for key, candidate in candidates.items():
        root = roots.get(key)
        if root is not None and sizes[root] > 1:
            candidate.group = _group_id(document.url, root)
        yield candidate


def _group_id(document_url: str, root: str) -> str:
    return blake2b(f"{document_url}\n{root}".encode(errors="replace"), digest_size=8).hexdigest()
