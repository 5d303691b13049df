"""Segmented DASH manifests (ISO/IEC 23009-1): the parts of their audio, in the order in which they are joined."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from math import ceil

from lxml import etree

from audiocrawler.discovery.document import Document, attribute, each_named, local_name
from audiocrawler.discovery.hls import Part, Rendition
from audiocrawler.discovery.urls import absolute
from audiocrawler.discovery.values import duration_ms, whole_number

_MAX_PARTS = 20_000
_MAX_LANGUAGES = 50
_IDENTIFIER = re.compile(r"\$(?:(RepresentationID|Number|Time|Bandwidth)(?:%0(\d{1,2})d)?)?\$")
_RANGE = re.compile(r"(\d{1,15})-(\d{1,15})")
_AUDIO_CODEC = re.compile(r"mp4a|opus|vorbis|flac|[ae]c-[34]", re.IGNORECASE)
_SEGMENTS = ("segmenttemplate", "segmentlist")
_EXTRA_ROLES = frozenset(("commentary", "description", "dub", "enhanced-audio-intelligibility", "karaoke"))


@dataclass(slots=True)
class Track:
    """The audio of one language: its rendition, and what the manifest says of it."""

    rendition: Rendition
    language: str | None = None
    bit_rate_bps: int | None = None


def audio_tracks(document: Document) -> list[Track]:
    """Return the segmented audio of a DASH manifest, of each language the best; empty for anything else.

    Audio in single files has URLs of its own, which discovery finds.
    """
    root = document.root
    if root is None or document.root_name != "mpd":
        return []
    tracks: dict[str, Track] = {}
    for period, length_ms in _periods(root):
        best: dict[str, _Choice] = {}
        for choice in _choices(period):
            known = best.get(choice.language)
            if known is None or choice.rank < known.rank:
                best[choice.language] = choice
        for language, choice in best.items():
            track = tracks.setdefault(language, _track(root, choice))
            if len(tracks) > _MAX_LANGUAGES:
                track.rendition.is_cut = True
            else:
                _add(track, document, choice, length_ms)
    return list(tracks.values())


@dataclass(slots=True)
class _Choice:
    """A representation of audio, with the elements around it, the innermost last."""

    representation: etree._Element
    adaptation: etree._Element
    language: str
    rank: tuple[bool, int]
    chain: list[etree._Element] = field(default_factory=list)


def _periods(root: etree._Element) -> Iterator[tuple[etree._Element, int | None]]:
    """Yield the periods with their durations: declared, up to the start of the next one, or to the end (5.3.2)."""
    periods = [each for each in root if local_name(each) == "period"]
    whole_ms = duration_ms(attribute(root, "mediapresentationduration"))
    starts = [duration_ms(attribute(each, "start")) for each in periods]
    end_ms = 0
    for number, period in enumerate(periods):
        start_ms = starts[number] or end_ms
        following = starts[number + 1] if number + 1 < len(periods) else whole_ms
        length_ms = duration_ms(attribute(period, "duration")) or (following - start_ms if following else None)
        end_ms = start_ms + (length_ms or 0)
        yield period, length_ms


def _choices(period: etree._Element) -> Iterator[_Choice]:
    for adaptation in each_named(period, "adaptationset"):
        for representation in each_named(adaptation, "representation"):
            chain = [period, adaptation, representation]
            if _is_audio(adaptation, representation) and _segments(chain):
                language = attribute(adaptation, "lang") or ""
                rate = whole_number(attribute(representation, "bandwidth")) or 0
                yield _Choice(representation, adaptation, language, (_is_extra(adaptation), -rate), chain)


def _is_audio(adaptation: etree._Element, representation: etree._Element) -> bool:
    declared = attribute(representation, "mimetype") or attribute(adaptation, "mimetype") or ""
    if declared.startswith("audio/") or attribute(adaptation, "contenttype") == "audio":
        return True
    codecs = attribute(representation, "codecs") or attribute(adaptation, "codecs") or ""
    return not declared and bool(_AUDIO_CODEC.match(codecs))


def _is_extra(adaptation: etree._Element) -> bool:
    return any((attribute(each, "value") or "") in _EXTRA_ROLES for each in each_named(adaptation, "role"))


def _segments(chain: list[etree._Element]) -> list[etree._Element]:
    """Return the segment elements of one kind that apply, the innermost first (5.3.9.1: they inherit attributes)."""
    found = [each for element in reversed(chain) for each in element if local_name(each) in _SEGMENTS]
    return [each for each in found if local_name(each) == local_name(found[0])]


def _track(root: etree._Element, choice: _Choice) -> Track:
    is_live = (attribute(root, "type") or "static") == "dynamic"
    rendition = Rendition(is_vod=not is_live, container="mp4")
    rate = whole_number(attribute(choice.representation, "bandwidth"))
    return Track(rendition, choice.language or None, rate)


def _add(track: Track, document: Document, choice: _Choice, length_ms: int | None) -> None:
    """Append the parts of one period to a track."""
    track.rendition.is_encrypted |= any(
        local_name(each) == "contentprotection" for element in choice.chain for each in element
    )
    room = _MAX_PARTS - len(track.rendition.parts)
    parts = list(islice(_Parts(document, choice, length_ms).all(), room + 1))
    track.rendition.is_cut |= len(parts) > room
    track.rendition.parts.extend(parts[:room])
    track.rendition.duration_ms += length_ms or 0


class _Parts:
    """The parts of a representation: the initialisation segment, then the media segments."""

    def __init__(self, document: Document, choice: _Choice, length_ms: int | None) -> None:
        self._representation = choice.representation
        self._segments = _segments(choice.chain)
        self._base_url = _base_url(document, choice.chain)
        self._length_ms = length_ms

    def all(self) -> Iterator[Part]:
        if local_name(self._segments[0]) == "segmentlist":
            yield from self._listed()
        else:
            yield from self._templated()

    def _listed(self) -> Iterator[Part]:
        """Yield the parts of a SegmentList (5.3.9.3)."""
        for each in self._elements("initialization")[:1]:
            yield from self._part(attribute(each, "sourceurl"), attribute(each, "range"))
        for each in self._elements("segmenturl"):
            yield from self._part(attribute(each, "media"), attribute(each, "mediarange"))

    def _templated(self) -> Iterator[Part]:
        """Yield the parts of a SegmentTemplate (5.3.9.4)."""
        if initialization := self._attribute("initialization"):
            yield from self._part(self._filled(initialization, 0, 0), None)
        for each in self._elements("initialization")[:1]:
            yield from self._part(attribute(each, "sourceurl"), attribute(each, "range"))
        media = self._attribute("media") or ""
        first = whole_number(self._attribute("startnumber")) or (0 if self._attribute("startnumber") == "0" else 1)
        for number, time in enumerate(self._times(), first):
            yield from self._part(self._filled(media, number, time), None)

    def _times(self) -> Iterator[int]:
        """Yield the start of each segment in units of the timescale: from a timeline, else all are of one duration."""
        timescale = whole_number(self._attribute("timescale")) or 1
        whole = ceil((self._length_ms or 0) * timescale / 1000)
        entries = [each for line in self._elements("segmenttimeline") for each in line if local_name(each) == "s"]
        if entries:
            yield from _timeline(entries, whole)
            return
        duration = whole_number(self._attribute("duration"))
        first = whole_number(self._attribute("startnumber")) or 1
        last = whole_number(self._attribute("endnumber"))
        count = last - first + 1 if last else ceil(whole / duration) if duration else 0
        for number in range(min(count, _MAX_PARTS + 1)):
            yield number * (duration or 0)

    def _attribute(self, name: str) -> str | None:
        return next((value for each in self._segments if (value := attribute(each, name)) is not None), None)

    def _elements(self, name: str) -> list[etree._Element]:
        found = ([child for child in each if local_name(child) == name] for each in self._segments)
        return next((children for children in found if children), [])

    def _filled(self, template: str, number: int, time: int) -> str:
        """Return the template with its identifiers replaced (5.3.9.4.4)."""
        values = {
            "RepresentationID": attribute(self._representation, "id") or "",
            "Bandwidth": attribute(self._representation, "bandwidth") or "",
            "Number": number,
            "Time": time,
        }

        def value(match: re.Match[str]) -> str:
            if match[1] is None:
                return "$"
            return str(values[match[1]]).zfill(min(int(match[2] or 0), 20))

        return _IDENTIFIER.sub(value, template)

    def _part(self, url: str | None, byte_range: str | None) -> Iterator[Part]:
        """Yield a part; without a URL it is in the file of the base URL."""
        target = absolute(self._base_url, url) if url else self._base_url
        match = _RANGE.fullmatch(byte_range or "")
        if target and (url or match):
            first, last = (int(match[1]), int(match[2])) if match else (0, -1)
            yield Part(target, first, last - first + 1) if match else Part(target)


def _timeline(entries: list[etree._Element], whole: int) -> Iterator[int]:
    """Yield the start times of a SegmentTimeline (5.3.9.6); a negative repetition goes to the next entry or the end."""
    time = 0
    for position, entry in enumerate(entries):
        start = _ticks(attribute(entry, "t"))
        time = time if start is None else start
        duration = whole_number(attribute(entry, "d"))
        if not duration:
            return
        following = _ticks(attribute(entries[position + 1], "t")) if position + 1 < len(entries) else None
        end = whole if following is None else following
        repeated = attribute(entry, "r") or "0"
        count = max(ceil((end - time) / duration), 1) if repeated.startswith("-") else (whole_number(repeated) or 0) + 1
        for _ in range(min(count, _MAX_PARTS + 1)):
            yield time
            time += duration


def _ticks(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else None


def _base_url(document: Document, chain: list[etree._Element]) -> str:
    url = document.base_url
    root = chain[0].getparent()
    for element in ([root] if root is not None else []) + chain:
        own = next(((each.text or "").strip() for each in element if local_name(each) == "baseurl"), "")
        url = (absolute(url, own) if own else None) or url
    return url
