"""Find audio in a page's markup: audio elements, links, and URLs in plain text."""

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from lxml import etree

from audiocrawler.discovery.candidate import ELEMENT, LINK, NAME, STRING, Find, Kind, Role
from audiocrawler.discovery.copies import split_copies
from audiocrawler.discovery.document import Document, DocumentType, one_line, text_of
from audiocrawler.discovery.json_media import absolute_urls_in, is_comment_feed, is_feed_url, wrapped_feed
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, MEDIA_EXTENSION, MEDIA_NAME, extension_of, kind_of_type
from audiocrawler.discovery.roles import names_read_aloud
from audiocrawler.discovery.subscriptions import subscribed_feed
from audiocrawler.discovery.values import duration_ms, row_description, whole_number

_PLAYERS = ("audio", "amp-audio", "bgsound", "video", "amp-video")
_URL_ATTRIBUTES = ("src", "data-src", "data-lazy-src", "data-original", "data-lazy")
_TRANSCRIPTS = frozenset(("captions", "descriptions", "subtitles", ""))
_CHAPTERS = frozenset(("chapters",))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "figcaption"))
_MAX_CLIMB = 3
_MAX_SIBLINGS = 5


def find_elements(document: Document) -> Iterator[Find]:
    """Yield the sources of each player, in the author's order, as alternates unless they are clearly not."""
    seen: set[etree._Element] = set()
    for number, player in enumerate(document.elements(*_PLAYERS)):
        about = _Player(player, number)
        finds = list(about.own_sources())
        for source in player.iter("source"):
            seen.add(source)
            finds.extend(about.source(source))
        split_copies(finds)
        yield from finds
    for source in document.elements("source"):
        if source not in seen:
            yield from _stray_source(source)


class _Player:
    """A player and the metadata that its sources share."""

    def __init__(self, element: etree._Element, number: int) -> None:
        self._element = element
        self._group = f"player {number}"
        self._is_audio = "video" not in element.tag
        self._title = _title(element)
        self._transcripts = list(_tracks(element, _TRANSCRIPTS)) or None
        self._chapters = next((each["url"] for each in _tracks(element, _CHAPTERS)), None)
        self._role = Role.SPEECH_SYNTHESIS if _reads_aloud(element) else Role.MAIN
        self._hidden = element.get("controls") is None or element.get("hidden") is not None

    def own_sources(self) -> Iterator[Find]:
        name = "audio_src" if self._is_audio else "video_src"
        yield from self._finds(self._element, name)

    def source(self, source: etree._Element) -> Iterator[Find]:
        name = "audio_source" if self._is_audio else "video_source"
        yield from self._finds(source, name)

    def _finds(self, element: etree._Element, found_by: str) -> Iterator[Find]:
        for url in _urls(element):
            yield Find(
                url=url,
                found_by=found_by,
                confidence=ELEMENT,
                expected=Kind.AUDIO if self._is_audio else None,
                group=self._group,
                mime_type=element.get("type"),
                title=self._title,
                duration_ms=duration_ms(self._element.get("data-durationhint")),
                bit_rate_bps=whole_number(element.get("data-bandwidth")),
                language=element.get("lang") or element.get("srclang") or self._element.get("lang"),
                transcript_url=self._transcripts[0]["url"] if self._transcripts else None,
                transcripts=self._transcripts,
                chapters_url=self._chapters,
                role=self._role,
                hidden=self._hidden,
                is_certain_audio=self._is_audio,
            )


def _stray_source(source: etree._Element) -> Iterator[Find]:
    for url in _urls(source):
        mime_type = source.get("type")
        yield Find(url=url, found_by="audio_source", confidence=ELEMENT, mime_type=mime_type, is_certain_audio=True)


def _urls(element: etree._Element) -> Iterator[str]:
    for name in _URL_ATTRIBUTES:
        if url := (element.get(name) or "").strip():
            yield url


def _tracks(player: etree._Element, kinds: frozenset[str]) -> Iterator[dict[str, str]]:
    """Yield the player's text tracks of these kinds (HTML, section 4.8.11.11.1)."""
    for track in player.iter("track"):
        kind, url = (track.get("kind") or "").lower(), track.get("src") or track.get("data-src")
        if kind in kinds and url:
            stated = {"type": track.get("type"), "language": track.get("srclang"), "rel": kind}
            yield {"url": str(url), **{name: str(value) for name, value in stated.items() if value}}


def _reads_aloud(player: etree._Element) -> bool:
    """Return whether the player, or an element close around it, is marked as reading the page aloud."""
    around = [player, *islice(player.iterancestors(), _MAX_CLIMB)]
    return any(names_read_aloud(element.get(name)) for element in around for name in ("class", "id", "aria-label"))


def _title(player: etree._Element) -> str | None:
    for name in ("title", "aria-label", "data-title", "data-mwtitle"):
        if title := one_line(player.get(name)):
            return title
    return _nearest_heading(player)


def _nearest_heading(player: etree._Element) -> str | None:
    """Return the caption after the player, or the nearest heading before it, within a few elements."""
    element = player
    for _ in range(_MAX_CLIMB):
        for sibling in _near_siblings(element):
            if sibling.tag in _HEADINGS:
                return one_line(text_of(sibling))
        parent = element.getparent()
        if parent is None:
            return None
        element = parent
    return None


def _near_siblings(element: etree._Element) -> Iterator[etree._Element]:
    following = element.getnext()
    if following is not None and following.tag == "figcaption":
        yield following
    for number, sibling in enumerate(element.itersiblings(preceding=True)):
        if number == _MAX_SIBLINGS:
            return
        yield sibling


_MAX_TEXT = 200


def find_links(document: Document) -> Iterator[Find]:
    """Yield the links to audio, playlists and feeds, by URL or declared type."""
    scheme = urlsplit(document.url).scheme
    for element in document.elements("a", "area"):
        if href := element.get("href"):
            yield from _anchor(element, href, scheme)
    for element in document.elements("link"):
        if href := element.get("href"):
            yield from _link(element, subscribed_feed(href, scheme=scheme) or href)


def _anchor(element: etree._Element, href: str, scheme: str) -> Iterator[Find]:
    if feed := subscribed_feed(href, scheme=scheme):
        yield Find(url=feed, found_by="a_href", confidence=LINK, expected=Kind.FEED)
        return
    mime_type = element.get("type")
    saved_as_audio = extension_of(element.get("download") or "") in AUDIO_EXTENSIONS
    declared = saved_as_audio or isinstance(kind_of_type(mime_type), Kind)
    if declared or MEDIA_NAME.search(href):
        row = row_description(element)
        yield Find(
            url=href,
            found_by="a_href",
            confidence=ELEMENT if declared else LINK,
            expected=Kind.AUDIO if saved_as_audio else None,
            mime_type=mime_type,
            duration_ms=row.duration_ms,
            size_bytes=row.size_bytes,
            language=element.get("hreflang"),
            published_at=row.published_at,
            link_text=_label(element),
        )
    elif feed := wrapped_feed(href) or (href if is_feed_url(href) else None):
        yield Find(url=feed, found_by="a_href", confidence=NAME, expected=Kind.FEED)
    elif kind := _kind_of_download(element, href):
        yield Find(url=href, found_by="a_href", confidence=NAME, expected=kind, link_text=_label(element))


def _kind_of_download(element: etree._Element, href: str) -> Kind | None:
    """Return how a download without extension is followed: at once if something says that it is audio.

    ``rel=enclosure`` is for media (microformats); the text of a link may be the name of the file.
    """
    if extension_of(href) not in _NO_EXTENSION or href.startswith("#"):
        return None
    if "enclosure" in (element.get("rel") or "").lower().split():
        return Kind.EMBED
    label = _label(element) or ""
    is_named = extension_of(f"/{label}") in AUDIO_EXTENSIONS
    if element.get("download") is None:
        return Kind.EMBED if is_named and _DOWNLOAD.search(href) else None
    if extension_of(f"/{element.get('download')}"):
        return None
    return Kind.EMBED if is_named or _AUDIO_WORD.search(f"{label} {href} {element.get('class') or ''}") else Kind.PAGE


_NO_EXTENSION = frozenset(("", "ashx", "asp", "aspx", "cgi", "php"))
_DOWNLOAD = re.compile(r"attachment|download|\bdl\b|\bget|raw", re.IGNORECASE)
_AUDIO_WORD = re.compile(
    r"audio|aiff|\becouter|\bepisode|\bescuchar|flac|\bh(?:ö|oe)ren|listen|mp3|music|podcast|recording|\bsong|sound|wav\b"
    r"|écouter",
    re.IGNORECASE,
)


def _label(element: etree._Element) -> str | None:
    """Return the visible text of the link; its title attribute is as often the format as the recording."""
    texts = (text_of(element), element.get("title"), element.get("aria-label"))
    return next((label for text in texts if (label := one_line(text, _MAX_TEXT))), None)


def _link(element: etree._Element, href: str) -> Iterator[Find]:
    relations = (element.get("rel") or "").lower().split()
    mime_type = element.get("type")
    kind = kind_of_type(mime_type)
    if "alternate" in relations and kind is Kind.FEED:
        if not is_comment_feed(href, element.get("title") or ""):
            yield Find(url=href, found_by="link_alternate", confidence=ELEMENT, expected=Kind.FEED, mime_type=mime_type)
    elif "publication" in relations:  # the manifest of an audiobook (W3C Publication Manifest, section 4.3)
        yield Find(url=href, found_by="link_href", confidence=LINK, expected=Kind.PLAYLIST)
    elif element.get("as") == "audio":
        yield Find(url=href, found_by="link_href", confidence=ELEMENT, expected=Kind.AUDIO, mime_type=mime_type)
    elif isinstance(kind, Kind) or MEDIA_NAME.search(href):
        yield Find(
            url=href,
            found_by="link_href",
            confidence=ELEMENT if kind else LINK,
            mime_type=mime_type,
            title=one_line(element.get("title")),
            language=element.get("hreflang"),
        )


_SHORTCODE = re.compile(r"\[(?:audio|podcast|powerpress)\s[^\[\]<>]{1,70000}\]", re.IGNORECASE)
_RELATIVE_URL = re.compile(
    rf"(?:src|url|{MEDIA_EXTENSION})\s*=\s*[\"'\u201c\u201d\u2033](/[^\s\"'\u201c\u201d\u2033]{{1,65536}})",
    re.IGNORECASE,
)
_UNREAD = frozenset(("a", "code", "pre", "script", "style", "textarea", "title"))


def find_texts(document: Document) -> Iterator[Find]:
    """Yield the absolute audio URLs in the text of a page, except code samples, or in a plain text.

    WordPress's unexpanded ``[audio src=...]`` may contain relative ones, too.
    """
    for text in _texts(document):
        if "://" in text:
            for url in absolute_urls_in(text):
                yield Find(url=url.rstrip(".,:!)]"), found_by="text", confidence=STRING)
        for shortcode in _SHORTCODE.findall(text) if "[" in text else ():
            for url in _RELATIVE_URL.findall(shortcode):
                yield Find(url=url, found_by="shortcode", confidence=STRING, expected=Kind.AUDIO)


def _texts(document: Document) -> Iterator[str]:
    if document.type is DocumentType.TEXT:
        yield document.text
    if not MEDIA_NAME.search(document.text):
        return
    for element in document.elements():
        if element.text and element.tag not in _UNREAD:
            yield element.text
        if element.tail:
            yield element.tail
