"""The words of a transcript: SubRip, WebVTT, the JSON of podcasts, TTML, pages and plain text in, plain text out."""

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from typing import Any

from audiocrawler.export.columns import TRANSCRIPT, Row
from audiocrawler.model.texts import FORMER, OBJECT
from audiocrawler.model.texts import TRANSCRIPT as KIND

MAX_TEXT_BYTES = 16 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BLANK = re.compile(r"\n[ \t]*\n")
_TIME = r"(?:\d+:)?\d\d:\d\d[,.]\d{1,3}"
_TIMING = re.compile(rf"^.*?(?P<start>{_TIME})[ \t]*-->[ \t]*(?P<end>{_TIME}).*$", re.MULTILINE)
_BLINK_S = 0.05
"""Shorter cues are not for reading."""
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+[^>]*>")
_TAG = re.compile(r"</?[a-zA-Z0-9][^<>]*>|\{\\[^}]*\}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LISTS = ("segments", "results", "transcript", "utterances", "monologues", "cues", "captions", "items", "words")
_BODIES = ("body", "text", "content", "utf8", "transcript", "word", "value")
_HIDDEN = ("script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "button")
_BEST = {
    ending: number
    for number, ending in enumerate(
        ("text/vtt", "application/x-subrip", "application/json", "application/ttml+xml", "text/plain", "text/html")
    )
}
"""Media type -> rank: cues are words alone, while a page has more around them."""


def with_words(rows: Iterable[Row], read: Callable[[str], bytes | None]) -> Iterator[Row]:
    """Yield the rows with the words of their best transcript, None where none is stored or readable."""
    for row in rows:
        yield row | {TRANSCRIPT: words_of(row, read)}


def words_of(row: Row, read: Callable[[str], bytes | None]) -> str | None:
    """Return the words of the first transcript that has some, in the order of ``ranked``."""
    for text in ranked(row.get("texts"), row.get("language")):
        body = read(text[OBJECT])
        if body and (words := plain_words(body, text.get("media_type", ""))):
            return words
    return None


def ranked(texts: Iterable[dict[str, str]] | str | None, language: str | None) -> list[dict[str, str]]:
    """Return the stored transcripts, best first: the language of the file, else none stated, then by their format."""
    given = json.loads(texts) if isinstance(texts, str) else texts or ()
    stored = [text for text in given if text.get("kind") == KIND and text.get(OBJECT) and FORMER not in text]
    return sorted(stored, key=lambda text: (_distance(text.get("language"), language), _rank(text)))


def _distance(stated: str | None, wanted: str | None) -> int:
    if not stated or not wanted:
        return 1
    return 0 if _primary(stated) == _primary(wanted) else 2


def _primary(language: str) -> str:
    return re.split(r"[-_]", language.strip().lower())[0]


def _rank(text: dict[str, str]) -> int:
    return _BEST.get(text.get("media_type", ""), len(_BEST))


def plain_words(body: bytes, media_type: str) -> str | None:
    """Return the words of a transcript of this type, a line for each cue or paragraph; None where there are none."""
    text = _decoded(body)
    lines = _READERS.get(media_type, _lines)(text)
    found = (" ".join(line.split()) for line in lines)
    return "\n".join(line for line in found if line) or None


def _decoded(body: bytes) -> str:
    """Return the body as text; what is not Unicode is taken as Windows-1252, as browsers do."""
    encoding = next((encoding for bom, encoding in _BOMS if body.startswith(bom)), "utf-8")
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _lines(text: str) -> Iterator[str]:
    yield from text.split("\n")


def _cues(text: str) -> Iterator[str]:
    """Yield the words of each cue (WebVTT, section 4; SubRip has no standard); what rolls up comes once."""
    shown: list[str] = []
    for block in _BLANK.split(text.strip()):
        timing = _TIMING.search(block)
        if timing is None or _seconds(timing["end"]) - _seconds(timing["start"]) < _BLINK_S:
            continue  # a note, a style, or a step of a roll-up
        lines = [" ".join(_without_markup(line).split()) for line in block[timing.end() :].split("\n")]
        lines = [line for line in lines if line]
        yield " ".join(lines[_overlap(shown, lines) :])
        shown = lines


def _overlap(before: list[str], lines: list[str]) -> int:
    """Return how many lines at the start were the last ones before; none where the same is said again."""
    return next((n for n in range(len(lines) - 1, 0, -1) if before[-n:] == lines[:n]), 0)


def _seconds(time: str) -> float:
    """Return the seconds of ``01:02:03,004`` or ``02:03.004``."""
    whole = 0.0
    for part in time.replace(",", ".").split(":"):
        whole = whole * 60 + float(part)
    return whole


def _without_markup(line: str) -> str:
    return unescape(_TAG.sub("", _VOICE.sub("", line)))


def _json(text: str) -> Iterator[str]:
    """Yield the bodies of the segments (Podcast Namespace, JSON transcript), whatever their list is called."""
    try:
        bodies = list(_bodies(json.loads(text)))
    except (ValueError, RecursionError):
        return
    sentence: list[str] = []
    for body, starts_anew in bodies:
        if sentence and starts_anew:
            yield " ".join(sentence)
            sentence = []
        sentence.append(body)
    yield " ".join(sentence)


def _bodies(value: Any) -> Iterator[tuple[str, bool]]:
    """Yield each segment's words, and whether another speaker begins with them or none is stated."""
    segments = _segments(value)
    if isinstance(segments, str):
        yield segments, True
        return
    speaker: Any = None
    for each in segments:
        if isinstance(each, str):
            yield each, True
        elif isinstance(each, dict):
            body = next((each[name] for name in _BODIES if isinstance(each.get(name), str)), None)
            if body is not None:
                yield body, "speaker" not in each or each["speaker"] != speaker
                speaker = each.get("speaker")
            else:
                yield from _bodies(each)


def _segments(value: Any) -> list[Any] | str:
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return []
    found = next((value[name] for name in _LISTS if isinstance(value.get(name), list | dict)), None)
    if found is not None:
        return _segments(found)
    return next((value[name] for name in _BODIES if isinstance(value.get(name), str)), [])


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of TTML (section 8.1.5); nothing is loaded or expanded."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(_CONTROLS.sub("", text).encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        return
    if root is None:
        return
    for each in root.iter("{*}p"):
        for line_break in each.iter("{*}br"):
            line_break.tail = f" {line_break.tail or ''}"
        yield "".join(str(piece) for piece in each.itertext())


def _page(text: str) -> Iterator[str]:
    """Yield the lines of a page without what is around its text."""
    from lxml import etree, html  # megabytes that most exports have no use for

    parser = html.HTMLParser(encoding="utf-8", huge_tree=False)
    try:
        root = html.document_fromstring(_CONTROLS.sub("", text).encode("utf-8", "replace"), parser=parser)
    except etree.LxmlError:
        return
    for each in list(root.iter(*_HIDDEN, etree.Comment)):
        if each.getparent() is not None:
            each.drop_tree()  # type: ignore[attr-defined]
    body = next((found for name in ("main", "article", "body") for found in root.iter(name)), root)
    for each in body.iter("p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "cite", "time", "blockquote"):
        each.tail = f"\n{each.tail or ''}"
        each.text = f"\n{each.text or ''}"
    yield from "".join(str(piece) for piece in body.itertext()).split("\n")


_READERS: dict[str, Callable[[str], Iterator[str]]] = {
    "text/vtt": _cues,
    "application/x-subrip": _cues,
    "application/json": _json,
    "application/ttml+xml": _paragraphs,
    "text/html": _page,
}
