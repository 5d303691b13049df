"""Read what JSON says of an episode or recording: its show, number, text, page, image, transcripts and people.

Names as in schema.org, the Podcast Index, WordPress, JSON Feed, Openverse, iNaturalist and Dublin Core.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol, Self

from audiocrawler.discovery.candidate import Description
from audiocrawler.discovery.values import ordinal, plain_text, published_at, size_bytes
from audiocrawler.model.statements import Statement, statement_of

TITLE_KEYS = ("title", "name", "headline", "episodetitle", "tracktitle")
_HOLDERS = frozenset(
    ("associatedmedia", "attachments", "audio", "audios", "enclosure", "enclosures", "encoding", "files")
)
"""Members in which an item lists its files."""
_LISTS = frozenset(("episodes", "items", "recordings", "tracks"))
"""Members in which a show lists its items."""
_SHOW_KEYS = (
    *(
        "partofseries",
        "podcast",
        "show",
        "series",
        "program",
        "programme",
        "feedtitle",
        "podcasttitle",
        "podcast_title",
    ),
    *("showtitle", "show_title", "podcastname", "podcast_name", "showname", "show_name", "seriestitle", "series_title"),
    *("collectionname", "dcterms:ispartof", "ispartof"),
)
_SEASON_KEYS = ("seasonnumber", "season_number", "season", "partofseason", "itunes_season", "itunes:season")
_EPISODE_KEYS = ("episodenumber", "episode_number", "episode", "itunes_episode", "itunes:episode")
_TEXT_KEYS = (
    *("description", "summary", "excerpt", "content_text", "abstract", "dc:description", "content_html", "content"),
    *("episodedescription", "shortdescription", "short_description", "caption"),
)
_PAGE_KEYS = (
    "link",
    "permalink",
    "episodeurl",
    "episode_url",
    "webpage",
    "permalink_url",
    "foreign_landing_url",
    "url",
)
_IMAGE_KEYS = (
    *("image", "image_url", "imageurl", "thumbnailurl", "thumbnail", "artwork_url", "artworkurl", "artwork", "cover"),
    *("episode_featured_image", "banner_image", "feedimage", "artworkurl600", "poster"),
)
_CHAPTER_KEYS = ("chaptersurl", "chapters_url", "chapters")
_TRACK_KEYS = ("tracks", "texttracks", "text_tracks", "captions")
"""Lists of a player's text tracks; ``tracks`` may be recordings instead."""
_TRANSCRIPT_KEYS = ("transcripts", "transcript", "transcripturl", "transcript_url", "transcription_url", "subtitles")
_LANGUAGE_KEYS = (
    *("inlanguage", "language", "lang", "languagecode", "language_code", "feedlanguage", "dc:language"),
    *("podcastlanguage", "locale"),
)
_ARTIST_KEYS = ("feedauthor", "podcastauthor", "dc:creator", "ownername", "publisher")
_DATE_KEYS = (
    *("datepublished", "date_published", "date_gmt", "pubdate", "publishdate", "publish_date", "releasedate"),
    *("release_date", "date", "created_at", "createdat", "dc:date"),
)
_SIZE_KEYS = ("enclosurelength", "filesize_raw", "size", "length_bytes")
_PEOPLE = {
    "actor": "actor",
    "actors": "actor",
    "contributor": "contributor",
    "contributors": "contributor",
    "guest": "guest",
    "guests": "guest",
    "host": "host",
    "hosts": "host",
    "narrator": "narrator",
    "people": "",
    "persons": "",
    "readby": "reader",
    "reader": "reader",
    "readers": "reader",
}
"""Member -> the role of those whom it names, unless they state their own."""
_LICENCE_KEY = re.compile(
    r"(?:(?:cc|media|audio|content|usage)_?)?licen[cs]e_?(?:code|deed|id|identifier|link|name|short_?name|spdx|uri|url)?"
    r"|(?:deed|cc)_?ur[il]|dc(?:terms)?:(?:license|rights)|rights_?(?:uri|url|statement)"
)
_MAX_PEOPLE = 50


class Members(Protocol):
    """A JSON object with the one around it."""

    members: dict[str, Any]
    parent: Self | None

    def first(self, keys: Iterable[str]) -> Any:
        """Return the first non-empty one of these members."""


def add_rest(node: Members, about: Description, url: str) -> None:
    """Complete the metadata of the file at ``url``, which the object names, from its item and the show around it."""
    item = list(_item(node))
    around = list(_around(node))
    about.language = _language(_first(around, _LANGUAGE_KEYS)) or about.language
    about.artist = about.artist or _name(_first(around, _ARTIST_KEYS))
    about.published_at = about.published_at or published_at(_first(item, _DATE_KEYS))
    about.size_bytes = about.size_bytes or size_bytes(node.first(_SIZE_KEYS))
    about.show_title = _name(_first(around, _SHOW_KEYS)) or _name_of_list(around, item)
    about.season, about.episode = ordinal(_first(item, _SEASON_KEYS)), ordinal(_first(item, _EPISODE_KEYS))
    about.description = plain_text(_name(_first(item, _TEXT_KEYS)))
    about.episode_url = _page(item, url)
    about.image_url = _url(_first(around, _IMAGE_KEYS))
    tracks = list(_text_tracks(_first(item, _TRACK_KEYS)))
    chapters = (each["url"] for each in tracks if each.get("rel") == "chapters")
    about.chapters_url = _url(_first(item, _CHAPTER_KEYS)) or next(chapters, None)
    transcripts = _first(item, _TRANSCRIPT_KEYS)
    named = list(_transcripts(transcripts)) if transcripts else []
    about.transcripts = [*named, *(each for each in tracks if each.get("rel") != "chapters")] or None
    about.transcript_url = about.transcripts[0]["url"] if about.transcripts else None
    about.people = list(_people(item))[:_MAX_PEOPLE] or None


def licence_codes(node: Members, place: str) -> tuple[Statement, ...]:
    """Return the licences in members with other names than schema.org's: ``license_code``, ``deed_url``."""
    found: list[Statement | None] = []
    for each in _item(node):
        version = each.members.get("license_version")
        for key, value in each.members.items():
            if isinstance(value, str) and value and _is_licence_key(key):
                code = f"{value} {version}" if isinstance(version, str) and len(value) < len("by-nc-nd-") else value
                found.append(statement_of(code, place))
        if any(found):
            break
    return tuple(dict.fromkeys(filter(None, found)))


@lru_cache(maxsize=4096)
def _is_licence_key(key: str) -> bool:
    return _LICENCE_KEY.fullmatch(key) is not None


def _around(node: Members) -> Iterator[Members]:
    each: Members | None = node
    while each is not None:
        yield each
        each = each.parent


def _item(node: Members) -> Iterator[Members]:
    """Yield the object and those around it as far as they are about the same item: to the first one with a title."""
    is_titled = False
    for each in _around(node):
        if is_titled and _HOLDERS.isdisjoint(each.members):
            return
        yield each
        if is_titled:
            return
        is_titled = each.first(TITLE_KEYS) is not None


def _name_of_list(around: list[Members], item: list[Members]) -> str | None:
    above = around[len(item) :]
    shows = (each for each in above if not _LISTS.isdisjoint(each.members))
    return next(filter(None, (_name(each.first(TITLE_KEYS)) for each in shows)), None)


def _first(nodes: list[Members], keys: tuple[str, ...]) -> Any:
    for each in nodes:
        if (value := each.first(keys)) is not None:
            return value
    return None


def _name(value: Any) -> str | None:
    """Return a text, or the name in an object or the first of a list; WordPress has ``rendered``."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = next((value[key] for key in ("name", "title", "rendered", "alternateName") if value.get(key)), None)
        return _name(value) if isinstance(value, dict) else value if isinstance(value, str) else None
    return value if isinstance(value, str) and value else None


def _language(value: Any) -> str | None:
    """Return the code of a language (schema.org: ``alternateName``), else its name."""
    if isinstance(value, dict) and isinstance(code := value.get("alternateName") or value.get("identifier"), str):
        return code
    return _name(value)


def _url(value: Any) -> str | None:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = next((value[key] for key in ("url", "contentUrl", "href", "src", "@id") if value.get(key)), None)
    return value if isinstance(value, str) and ("/" in value or "." in value) and not set(value) & set(" \n<") else None


def _page(item: list[Members], file_url: str) -> str | None:
    named = [each for each in item if "meta" in each.members or not each.members.keys().isdisjoint(_PAGE_KEYS)]
    found = (_url(each.first((key,))) for each in named for key in _PAGE_KEYS)
    pages = (url for url in found if url and url != file_url and url.startswith(("http://", "https://", "/")))
    return next(pages, None)


def _transcripts(value: Any) -> Iterator[dict[str, str]]:
    for each in value if isinstance(value, list) else [value]:
        if url := _url(each):
            members = each if isinstance(each, dict) else {}
            named = {
                name: members.get(key) for name, keys in _OF_TRANSCRIPT.items() for key in keys if members.get(key)
            }
            yield {"url": url} | {name: text for name, text in named.items() if isinstance(text, str)}


def _text_tracks(value: Any) -> Iterator[dict[str, str]]:
    """Yield the text tracks of a player, as JW Player (``file``) and Video.js (``src``) configure them."""
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict):
            track = each if _url(each) else {**each, "url": each.get("file")}
            kind = str(each.get("kind") or "").lower()
            found = list(_transcripts(track))
            ends_like_text = bool(found) and found[0]["url"].partition("?")[0].lower().endswith(_TEXT_ENDINGS)
            if found and (kind in _TEXT_KINDS or (ends_like_text and not kind)):
                yield found[0] | ({"rel": kind} if kind else {})


_TEXT_KINDS = frozenset(("captions", "chapters", "descriptions", "subtitles"))
_TEXT_ENDINGS = (".vtt", ".srt", ".ttml")


_OF_TRANSCRIPT = {
    "type": ("type", "mime_type", "encodingFormat"),
    "language": ("language", "inLanguage", "srclang", "lang"),
    "rel": ("rel", "kind"),
}


def _people(item: list[Members]) -> Iterator[dict[str, str]]:
    if all(each.members.keys().isdisjoint(_PEOPLE) for each in item):
        return
    for key, role in _PEOPLE.items():
        for each in item:
            value = each.members.get(key)
            for person in value if isinstance(value, list) else [value]:
                if name := _name(person):
                    yield _person(name, role, person if isinstance(person, dict) else {})


def _person(name: str, role: str, members: dict[str, Any]) -> dict[str, str]:
    stated = members.get("role") or members.get("roleName") or role
    urls = {"url": members.get("href") or members.get("url"), "image": members.get("img") or members.get("image")}
    more = {"role": stated.lower() if isinstance(stated, str) else role, "group": members.get("group"), **urls}
    return {"name": name} | {key: text for key, text in more.items() if isinstance(text, str) and text}
