"""Decide which pages to render: by hints of a player without a source, and by the yield of similar pages."""

import re
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Generic, TypeVar
from urllib.parse import urljoin, urlsplit

from lxml import etree


class RenderHint(StrEnum):
    """Why a page should be rendered, in words for its row."""

    EMPTY_PLAYER = "a player without a source"
    SCRIPTED_PLAYER = "a player made by scripts"
    SHELL = "an empty shell that scripts fill"
    FRAME = "a frame of the same site"


MAX_SHELL_CHARACTERS = 200
"""A page with scripts and fewer visible characters counts as a shell."""
MAX_ASKING_CHARACTERS = 600
"""The same for a page that asks its readers to enable JavaScript."""
_MAX_ELEMENTS = 100_000
_MAX_SCRIPT_CHARACTERS = 200_000
_MAX_PLAYER_CHARACTERS = 300
_SOURCES = ("src", "data-src", "data-lazy-src", "data-original", "data-lazy")
_UNSEEN = frozenset(("head", "noscript", "script", "style", "template", "title"))
_SHELL_IDS = frozenset(
    ("root", "app", "__next", "__nuxt", "___gatsby", "svelte", "main-app", "react-root", "app-root", "application")
)
_PLAYER_WORD = re.compile(r"audio|player|podcast|sound|playlist|waveform", re.IGNORECASE)
_PLAYER_NAME = re.compile(
    r"(?<![a-z])(?:audio|music|podcast|sound|mp3|track|episode|media|radio)?[-_]?player(?![a-z])"
    r"|(?<![a-z])(?:audio|podcast)[-_]?(?:widget|embed|block|container|playlist)|waveform|jp-jplayer|jwplayer|aplayer",
    re.IGNORECASE,
)
_VIDEO = re.compile(r"video|youtube|vimeo", re.IGNORECASE)
_PLAY = re.compile(
    r"(?<![a-z])(?:play|listen|abspielen|anh[oö]ren|[eé]couter|reproducir|escuchar|ascolta)(?![a-z])", re.IGNORECASE
)
_PLAYER_CODE = re.compile(
    r"new\s+Audio\s*\(|new\s+Howl\b|WaveSurfer\s*\.|\bjwplayer\s*\(|\bMediaSource\b|createElement\(\s*[\"']audio"
    r"|\bloadSource\s*\(|\bdashjs\b|shaka\.Player|Amplitude\.init|decodeAudioData|soundManager|\.jPlayer\s*\("
    r"|new\s+(?:Plyr|APlayer|MediaElementPlayer)\b|attachMedia\s*\("
)
_FETCHES = re.compile(r"\bfetch\s*\(|XMLHttpRequest|\baxios\b|getJSON\s*\(|\$\.(?:get|ajax)\s*\(|\bimport\s*\(")
_AUDIO_WORD = re.compile(r"audio|podcast|episode|playlist|\btracks?\b|\bsounds?\b|mp3|\bplay(?:er)?\b", re.IGNORECASE)
_PLAYER_FILE = re.compile(
    r"howler|wavesurfer|jwplayer|jplayer|soundmanager|amplitude(?:js|\.min|\.js)|aplayer"
    r"|(?:audio|podcast|music|sound|radio)[\w-]*player|player[\w-]*(?:audio|podcast)|/hls(?:\.light)?(?:\.min)?\.js|dash\.all",
    re.IGNORECASE,
)
_ASKS_FOR_SCRIPTS = re.compile(r"(?:enable|activate|requires?|need|turn\s+on)\b[^.]{0,40}javascript", re.IGNORECASE)


def render_hints(root: etree._Element, url: str, *, has_audio: bool, is_in_script: bool) -> list[RenderHint]:
    """Return why the page should be rendered, an empty list if it should not.

    ``has_audio``: audio was found in the plain document; ``is_in_script``: some of it in scripts or attributes. A
    player whose audio these already gave needs no browser, one beside a mere link does.
    """
    page = _Page(root, url, has_audio=has_audio, is_in_script=is_in_script)
    shown = (
        (RenderHint.EMPTY_PLAYER, page.has_empty_player),
        (RenderHint.SCRIPTED_PLAYER, page.has_scripted_player),
        (RenderHint.SHELL, page.is_shell),
        (RenderHint.FRAME, page.has_own_frame),
    )
    return [signal for signal, is_shown in shown if is_shown()]


class _Page:
    """The elements and scripts of a page."""

    def __init__(self, root: etree._Element, url: str, *, has_audio: bool, is_in_script: bool) -> None:
        self._root = root
        self._url = url
        self._elements = [each for each in islice(root.iter(), _MAX_ELEMENTS) if isinstance(each.tag, str)]
        self._scripts = [each for each in self._elements if each.tag == "script" and _runs(each)]
        self._has_audio = has_audio
        self._is_in_script = is_in_script

    def has_empty_player(self) -> bool:
        if self._is_in_script or not self._scripts:
            return False
        return any(map(_is_empty_audio, self._elements)) or any(map(_is_empty_box, self._elements))

    def has_scripted_player(self) -> bool:
        for script in self._scripts:
            text = (script.text or "")[:_MAX_SCRIPT_CHARACTERS]
            fetches = bool(_FETCHES.search(text) and _AUDIO_WORD.search(text))
            plays = bool(_PLAYER_CODE.search(text) or _PLAYER_FILE.search(script.get("src") or ""))
            if fetches or (plays and not self._is_in_script):
                return True
        return bool(self._scripts) and not self._has_audio and any(map(_is_play_button, self._elements))

    def is_shell(self) -> bool:
        if not self._scripts or self._is_in_script:
            return False
        if any(each.get("id") in _SHELL_IDS and _visible_characters(each, 1) == 0 for each in self._elements):
            return True
        if self._has_audio:
            return False
        visible = _visible_characters(self._root, MAX_ASKING_CHARACTERS)
        return visible < MAX_SHELL_CHARACTERS or (visible < MAX_ASKING_CHARACTERS and self._asks_for_scripts())

    def has_own_frame(self) -> bool:
        if self._has_audio:
            return False
        own = urlsplit(self._url).hostname
        sources = (each.get("src") for each in self._elements if each.tag == "iframe")
        return any(_host(self._url, source) == own for source in sources if source)

    def _asks_for_scripts(self) -> bool:
        asking = (each for each in self._elements if each.tag == "noscript")
        return any(_ASKS_FOR_SCRIPTS.search("".join(map(str, each.itertext()))) for each in asking)


def _runs(script: etree._Element) -> bool:
    kind = (script.get("type") or "").lower()
    return not kind or "javascript" in kind or kind in {"module", "text/babel"}


def _is_empty_audio(element: etree._Element) -> bool:
    if element.tag not in {"audio", "amp-audio"} or any((element.get(name) or "").strip() for name in _SOURCES):
        return False
    return not any(source.get(name) for source in element.iter("source") for name in _SOURCES)


def _is_empty_box(element: etree._Element) -> bool:
    """Return whether this is named like a player and contains neither media nor more than a few words."""
    tag = str(element.tag)
    names = f"{element.get('id') or ''} {element.get('class') or ''}"
    is_player = _PLAYER_NAME.search(names) or ("-" in tag and _PLAYER_WORD.search(tag))
    if not is_player or _VIDEO.search(f"{names} {tag}") or tag in {"body", "html", "script", "link", "audio"}:
        return False
    if next(element.iter("audio", "video", "iframe", "source", "embed", "object"), None) is not None:
        return False
    return _visible_characters(element, _MAX_PLAYER_CHARACTERS) < _MAX_PLAYER_CHARACTERS


def _is_play_button(element: etree._Element) -> bool:
    if element.tag != "button" and element.get("role") != "button":
        return False
    names = (element.get(name) or "" for name in ("class", "id", "aria-label", "title", "data-action"))
    return bool(_PLAY.search(" ".join([*names, "".join(islice(map(str, element.itertext()), 4))])))


def _visible_characters(element: etree._Element, enough: int) -> int:
    """Return the number of visible characters, counted up to ``enough``."""
    count = 0
    for text in _visible_texts(element):
        count += len("".join(text.split()))
        if count >= enough:
            break
    return count


def _visible_texts(element: etree._Element) -> Iterator[str]:
    hidden = 0
    for event, each in etree.iterwalk(element, events=("start", "end")):
        if each.tag in _UNSEEN:
            hidden += 1 if event == "start" else -1
        if hidden == 0 and event == "start" and each.text and isinstance(each.tag, str):
            yield each.text
        if hidden == 0 and event == "end" and each.tail and each is not element:
            yield each.tail


def _host(base_url: str, url: str) -> str | None:
    try:
        return urlsplit(urljoin(base_url, url)).hostname
    except ValueError:
        return None


Page = TypeVar("Page")

FIRST_PAGES = 4
"""Pages of a new pattern that are rendered in any case."""
FIRST_PAGES_IF_PROVEN = 16
"""Consecutive pages without gain allowed for a pattern that has gained before."""
MAX_GAP = 512
MAX_PATTERNS = 20_000
MAX_WAITING = 1_000
"""Pages of one pattern that are kept for its first gain."""
_DIGITS = re.compile(r"\d+")
_SLUG = re.compile(r"[\d_\-.%]|.{16}")


def _bounded() -> deque[Page]:
    return deque(maxlen=MAX_WAITING)


@dataclass(slots=True)
class _Record(Generic[Page]):
    """The record of a pattern; ``barren`` counts consecutive pages without gain, ``passed`` those skipped since."""

    barren: int = 0
    under_way: int = 0
    passed: int = 0
    has_gained: bool = False
    undecided: deque[Page] = field(default_factory=_bounded)
    left_out: deque[Page] = field(default_factory=_bounded)


class RenderPolicy(Generic[Page]):
    """Decide which pages to render by the gain of their URL pattern. Deterministic, in memory, bounded."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record[Page]] = OrderedDict()

    def offer(self, pattern: str, page: Page) -> Iterator[Page]:
        """Yield the pages to render now; ``page`` may be yielded later, by this method or ``note``."""
        record = self._record(pattern)
        if self._is_free(record):
            record.under_way += 1
            yield page
            return
        record.undecided.append(page)
        yield from self._due(record)

    def withdraw(self, pattern: str) -> None:
        """Record that a page will not be rendered after all."""
        record = self._record(pattern)
        record.under_way = max(0, record.under_way - 1)

    def note(self, pattern: str, *, gained: bool) -> Iterator[Page]:
        """Record whether a rendered page gained anything; yield the pages to render now."""
        record = self._record(pattern)
        record.under_way = max(0, record.under_way - 1)
        if not gained:
            record.barren += 1
            yield from self._due(record)
            return
        record.barren, record.passed, record.has_gained = 0, 0, True
        waiting = [*record.left_out, *record.undecided]
        record.left_out.clear()
        record.undecided.clear()
        record.under_way += len(waiting)
        yield from waiting

    def _is_free(self, record: _Record[Page]) -> bool:
        if record.has_gained:
            return record.barren < FIRST_PAGES_IF_PROVEN
        return record.barren + record.under_way < FIRST_PAGES  # those being rendered may gain nothing either

    def _due(self, record: _Record[Page]) -> Iterator[Page]:
        """Decide on the undecided pages in order until one is due, unless one is being rendered."""
        while record.undecided and not record.under_way:
            page = record.undecided.popleft()
            record.passed += 1
            if record.passed >= self._gap(record):
                record.passed = 0
                record.under_way += 1
                yield page
            else:
                record.left_out.append(page)

    def _gap(self, record: _Record[Page]) -> int:
        over = record.barren - (FIRST_PAGES_IF_PROVEN if record.has_gained else FIRST_PAGES)
        return int(min(MAX_GAP, 2 ** min(over + 1, 16)))

    def _record(self, pattern: str) -> _Record[Page]:
        record = self._records.setdefault(pattern, _Record())
        self._records.move_to_end(pattern)
        if len(self._records) > MAX_PATTERNS:
            self._records.popitem(last=False)
        return record


def pattern_of(url: str) -> str:
    """Return what URLs of one template share: host, path without names and numbers, parameter names."""
    parts = urlsplit(url)
    *folders, last = parts.path.rstrip("/").split("/")
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    path = "/".join([*(_DIGITS.sub("0", folder) for folder in folders), "*" if _SLUG.search(last) else last])
    route = "#" if parts.fragment else ""
    return f"{parts.netloc}{path}?{'&'.join(names)}{route}"
