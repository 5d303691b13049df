"""Find audio in playlists, manifests and sitemaps: M3U, PLS, XSPF and similar, HLS, DASH, and URLs in other XML."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from lxml import etree

from audiocrawler.discovery.candidate import ELEMENT, LINK, NAME, STRING, Find, Kind, Relation
from audiocrawler.discovery.copies import copy_key
from audiocrawler.discovery.document import (
    Document,
    DocumentType,
    attribute,
    base_of,
    child_text,
    each_named,
    local_name,
    one_line,
)
from audiocrawler.discovery.hls import attributes_of, is_hls
from audiocrawler.discovery.json_media import absolute_urls_in
from audiocrawler.discovery.kinds import (
    AUDIO_EXTENSIONS,
    FOLLOWED_EXTENSIONS,
    MEDIA_NAME,
    VIDEO_EXTENSIONS,
    extension_of,
    is_download_of_audio,
    signs_of_radio,
)
from audiocrawler.discovery.urls import absolute
from audiocrawler.discovery.values import duration_ms, size_bytes, whole_number
from audiocrawler.model.statements import statement_of

_VIDEO_CODEC = re.compile(r"avc|hev|hvc|vp0?[89]|av01|dvh", re.IGNORECASE)


def find_hls(document: Document) -> Iterator[Find]:
    """Yield the audio manifests in a master playlist; the bit rates of one language are alternates.

    RFC 8216, section 4.3.4: the renditions of a group differ in content, those of several groups in encoding.
    """
    if document.type is not DocumentType.PLAYLIST or not is_hls(document.text):
        return
    variants, renditions = _master(document.text)
    bit_rates = {each.get("AUDIO", ""): _bandwidth(each) for _, each in reversed(variants)}
    groups: dict[str, str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for each in renditions:
        group_id, content = each.get("GROUP-ID", ""), _content_of(each)
        group = f"hls {content} {counts[group_id, content]}"
        counts[group_id, content] += 1
        if group_id not in groups or each.get("DEFAULT") == "YES":
            groups[group_id] = group
        if url := each.get("URI"):
            yield _manifest(url, each, group, bit_rates.get(group_id))
    for url, each in variants:
        if _is_audio(each):
            yield _manifest(url, each, groups.get(each.get("AUDIO", ""), "hls"), _bandwidth(each))


def _master(text: str) -> tuple[list[tuple[str, dict[str, str]]], list[dict[str, str]]]:
    """Return the variant streams, with their URLs, and the attributes of the audio renditions."""
    variants, renditions = [], []
    variant: dict[str, str] | None = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("#EXT-X-MEDIA:") and (rendition := attributes_of(line)).get("TYPE") == "AUDIO":
            renditions.append(rendition)
        elif line.startswith("#EXT-X-STREAM-INF:"):
            variant = attributes_of(line)
        elif line and not line.startswith("#"):
            if variant is not None:
                variants.append((line, variant))
            variant = None
    return variants, renditions


def _content_of(rendition: dict[str, str]) -> str:
    language = rendition.get("LANGUAGE", "").lower()
    return f"{language or rendition.get('NAME', '')} {rendition.get('CHARACTERISTICS', '')}"


def _bandwidth(variant: dict[str, str]) -> int | None:
    return whole_number(variant.get("BANDWIDTH"))


def _is_audio(variant: dict[str, str]) -> bool:
    return "RESOLUTION" not in variant and not _VIDEO_CODEC.search(variant.get("CODECS", ""))


def _manifest(url: str, attributes: dict[str, str], group: str, bit_rate_bps: int | None) -> Find:
    return Find(
        url=url,
        found_by="hls",
        confidence=ELEMENT,
        expected=Kind.MANIFEST,
        group=group,
        is_certain_audio=True,
        title=attributes.get("NAME"),
        language=attributes.get("LANGUAGE"),
        bit_rate_bps=bit_rate_bps,
    )


_EXTINF = re.compile(r"#EXTINF:\s*(-?[\d.]+)?[^,]*,?(.*)", re.IGNORECASE)
_PLS_LINE = re.compile(r"\s*(file|title|length)(\d+)\s*=\s*(.*?)\s*$", re.IGNORECASE)
_REFERENCE = re.compile(r"\s*ref\d+\s*=\s*(.*?)\s*$", re.IGNORECASE)
_LOCAL_PATH = re.compile(r"[a-z]:[\\/]|\\\\|/(?:home|mnt|Users|Volumes)/", re.IGNORECASE)


def find_playlists(document: Document) -> Iterator[Find]:
    """Yield the entries of an M3U, PLS or old ASX playlist; nothing for an HLS manifest."""
    if document.type is not DocumentType.PLAYLIST or is_hls(document.text):
        return
    head = document.text[:64].lstrip("\ufeff \t\r\n").lower()
    if head.startswith("[reference]"):
        yield from _references(document)
    else:
        yield from _pls(document) if head.startswith("[playlist]") else _m3u(document)


def _m3u(document: Document) -> Iterator[Find]:
    duration, title = None, None
    for line in document.text.splitlines():
        entry = line.strip("\ufeff \t")
        if match := _EXTINF.match(entry):
            duration, title = match[1], match[2]
        elif entry and not entry.startswith("#") and not _LOCAL_PATH.match(entry):
            yield _entry(document, entry, "m3u", title, duration)
            duration, title = None, None


def _pls(document: Document) -> Iterator[Find]:
    entries: dict[int, dict[str, str]] = {}
    for line in document.text.splitlines():
        if match := _PLS_LINE.match(line):
            entries.setdefault(int(match[2][:9]), {})[match[1].lower()] = match[3]
    for _, entry in sorted(entries.items()):
        if (url := entry.get("file")) and not _LOCAL_PATH.match(url):
            yield _entry(document, url, "pls", entry.get("title"), entry.get("length"))


def _references(document: Document) -> Iterator[Find]:
    """Yield the references of ASX as it was before XML; those with one name are addresses of one file."""
    for line in document.text.splitlines():
        if match := _REFERENCE.match(line):
            each = _entry(document, match[1], "asx", None, None)
            each.group = f"reference {copy_key(match[1])}"
            yield each


def _entry(document: Document, url: str, found_by: str, title: str | None, duration: str | None) -> Find:
    length_ms = duration_ms(duration)
    is_radio = length_ms is None and _is_radio(document, url, is_endless=(duration or "").startswith("-"))
    return Find(
        url=url,
        found_by=found_by,
        confidence=LINK,
        expected=Kind.STREAM if is_radio else Kind.AUDIO,
        title=one_line(title),
        duration_ms=length_ms,
    )


def _is_radio(document: Document, entry: str, *, is_endless: bool = False) -> bool:
    """Return whether an entry of unknown duration is a radio stream.

    Without extension it is, as most such entries are, unless the playlist's own host names it in a query or folder.
    With one, the length -1 does not suffice: it also means unknown.
    """
    url = absolute(document.base_url, entry)
    if url is None or extension_of(url) in FOLLOWED_EXTENSIONS or is_download_of_audio(url):
        return False
    parts = urlsplit(url)
    is_own = parts.netloc.lower() == urlsplit(document.url).netloc.lower()
    if extension_of(url) in AUDIO_EXTENSIONS:
        return is_endless and not is_own and "/" not in parts.path.strip("/") and signs_of_radio(url) > 0
    return not (is_own and (parts.query or "/" in parts.path.strip("/")))


def find_xml_playlists(document: Document) -> Iterator[Find]:
    """Yield the entries of an XML playlist; the locations of one track are alternates."""
    reader = _READERS.get(document.root_name)
    if reader is None or document.root is None:
        return
    for number, entry in enumerate(each_named(document.root, "track", "entry", "media", "audio", "file")):
        for each in reader(document, entry):
            each.url = absolute(base_of(entry, document.base_url), each.url) or ""
            each.group = f"track {number}"
            yield each


def _xspf(_: Document, track: etree._Element) -> Iterator[Find]:
    """XSPF 1: several locations are the same resource in order of preference; duration is in milliseconds."""
    title, artist = child_text(track, "title"), child_text(track, "creator")
    statement = statement_of(child_text(track, "license"), "playlist")
    milliseconds = whole_number(child_text(track, "duration"))
    for location in track:
        if local_name(location) == "location" and (url := (location.text or "").strip()):
            yield Find(
                url=url,
                found_by="xspf",
                confidence=LINK,
                expected=Kind.AUDIO,
                title=title,
                artist=artist,
                duration_ms=milliseconds,
                statements=(statement,) if statement else None,
            )


def _asx(document: Document, entry: etree._Element) -> Iterator[Find]:
    title, artist = child_text(entry, "title"), child_text(entry, "author")
    duration = duration_ms(child_text(entry, "duration"))
    for reference in each_named(entry, "ref"):
        if url := attribute(reference, "href"):
            yield Find(
                url=url,
                found_by="asx",
                confidence=LINK,
                expected=_expected(document, url, duration),
                title=title,
                artist=artist,
                duration_ms=duration,
            )


def _metalink(_: Document, file: etree._Element) -> Iterator[Find]:
    """RFC 5854: the URLs of a file by priority; in version 3 by preference, and nested deeper."""
    names_audio = extension_of(f"/{attribute(file, 'name')}") in AUDIO_EXTENSIONS
    for mirror in sorted(each_named(file, "url"), key=_priority):
        yield Find(
            url=(mirror.text or "").strip(),
            found_by="metalink",
            confidence=LINK,
            expected=Kind.AUDIO if names_audio else None,
            size_bytes=size_bytes(child_text(file, "size")),
        )


def _priority(mirror: etree._Element) -> int:
    preference = whole_number(attribute(mirror, "preference"))
    return -preference if preference else whole_number(attribute(mirror, "priority")) or 999_999


def _smil(document: Document, media: etree._Element) -> Iterator[Find]:
    if url := attribute(media, "src"):
        expected = _expected(document, url, None)
        yield Find(url=url, found_by="wpl", confidence=LINK, expected=expected, title=attribute(media, "title"))


def _expected(document: Document, url: str, length_ms: int | None) -> Kind | None:
    """Return the kind of an entry that is played, but may be a video."""
    if extension_of(url) in VIDEO_EXTENSIONS:
        return None
    return Kind.STREAM if length_ms is None and _is_radio(document, url) else Kind.AUDIO


_READERS: dict[str, Callable[[Document, etree._Element], Iterator[Find]]] = {
    "playlist": _xspf,
    "asx": _asx,
    "metalink": _metalink,
    "smil": _smil,
    "winmediaplaylist": _smil,
}


def find_dash(document: Document) -> Iterator[Find]:
    """Yield the BaseURL of each audio representation that is not segmented (ISO/IEC 23009-1, 5.3.9).

    Adaptation sets of one language and role are alternates if they differ in their codec.
    """
    if document.root is None or document.root_name != "mpd":
        return
    duration = duration_ms(attribute(document.root, "mediapresentationduration"))
    counts: Counter[tuple[str, str]] = Counter()
    for adaptation in each_named(document.root, "adaptationset"):
        if _is_segmented(adaptation):
            continue
        content, codec = _contents(adaptation)
        group = f"dash {content} {counts[content, codec]}"
        counts[content, codec] += 1
        for representation in each_named(adaptation, "representation"):
            if each := _whole_file(document, adaptation, representation):
                each.group = group
                each.duration_ms = duration
                yield each


def _contents(adaptation: etree._Element) -> tuple[str, str]:
    """Return what tells the content of an adaptation set from that of others, and its codec."""
    period = adaptation.getparent()
    number = 0 if period is None else sum(1 for _ in period.itersiblings(preceding=True))
    roles = sorted(attribute(each, "value") or "" for each in each_named(adaptation, "role", "accessibility"))
    first = next(each_named(adaptation, "representation"), adaptation)
    codec = attribute(adaptation, "codecs") or attribute(first, "codecs") or attribute(first, "mimetype") or ""
    language = attribute(adaptation, "lang") or ""
    return f"{number} {language.lower()} {roles} {child_text(adaptation, 'label') or ''}", codec.partition(".")[0]


def _whole_file(document: Document, adaptation: etree._Element, representation: etree._Element) -> Find | None:
    mime_type = attribute(representation, "mimetype") or attribute(adaptation, "mimetype") or ""
    if not mime_type.startswith("audio/"):
        return None
    return Find(
        url=_joined_base_urls(document.base_url, representation),
        found_by="dash",
        confidence=ELEMENT,
        expected=Kind.AUDIO,
        mime_type=mime_type,
        bit_rate_bps=whole_number(attribute(representation, "bandwidth")),
        language=attribute(adaptation, "lang"),
    )


def _is_segmented(adaptation: etree._Element) -> bool:
    return next(each_named(adaptation, "segmenttemplate", "segmentlist"), None) is not None


def _joined_base_urls(base_url: str, representation: etree._Element) -> str:
    """Return the representation's base URL, from all BaseURL elements between the manifest and itself."""
    chain = [*reversed(list(representation.iterancestors())), representation]
    for element in chain:
        if local_name(element) and (url := child_text(element, "baseurl")):
            base_url = absolute(base_url, url) or base_url
    return base_url


_LISTS = {"urlset": Kind.PAGE, "sitemapindex": Kind.PLAYLIST}


def find_sitemaps(document: Document) -> Iterator[Find]:
    """Yield the entries of a sitemap: pages, or audio by its URL; or the sitemaps of an index.

    The latter are of kind playlist: like a playlist, they do not count as a level of the crawl's depth.
    """
    expected = _LISTS.get(document.root_name)
    if document.root is None or expected is None:
        return
    for entry in document.root:
        if url := child_text(entry, "loc"):
            yield Find(url=url, found_by="sitemap", confidence=LINK, expected=expected, relation=Relation.SITEMAP)


_READ_ELSEWHERE = frozenset(("rss", "feed", "rdf", "playlist", "asx", "smil", "winmediaplaylist", "metalink", "mpd"))


def find_xml_strings(document: Document) -> Iterator[Find]:
    """Yield the audio that an XML document names and no other finder reads: URLs, and files in lists of players."""
    if document.root is None or document.type is not DocumentType.XML or document.root_name in _READ_ELSEWHERE:
        return
    for element in document.root.iter(etree.Element):
        for name, text in (("", element.text or ""), *((str(name), str(text)) for name, text in element.items())):
            if not MEDIA_NAME.search(text):
                continue
            urls = list(absolute_urls_in(text))
            yield from (Find(url=url, found_by="xml_string", confidence=STRING) for url in urls)
            if not urls and name.lower() in _FILE_ATTRIBUTES and extension_of(f"/{text.strip()}") in AUDIO_EXTENSIONS:
                yield Find(url=text.strip(), found_by="xml_string", confidence=NAME)


_FILE_ATTRIBUTES = frozenset(("audio", "file", "href", "location", "mp3", "path", "src", "url"))
"""Attributes in which the playlists of players name a file relative to the page."""
