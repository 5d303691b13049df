"""Known hosts of players: whether an embed is one of theirs, and the media URLs that its address implies."""

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from urllib.parse import urlsplit

from audiocrawler.discovery.candidate import Kind

_HOSTS = tomllib.loads((files(__package__) / "hosts.toml").read_text("utf-8"))
AUDIO_PLAYER_HOSTS = frozenset(_HOSTS["audio"])
_VIDEO_HOSTS = frozenset(_HOSTS["video"])


def is_audio_player_host(url: str) -> bool:
    """Return whether the URL's host, or a domain above it, is known for audio players."""
    return any(domain in AUDIO_PLAYER_HOSTS for domain in _domains(url))


def is_video_host(url: str) -> bool:
    """Return whether the URL's host, or a domain above it, is known for video only."""
    return any(domain in _VIDEO_HOSTS for domain in _domains(url))


def _domains(url: str) -> list[str]:
    try:
        labels = (urlsplit(url).hostname or "").split(".")
    except ValueError:
        return []
    return [".".join(labels[start:]) for start in range(len(labels))][:10]


_ID = r"[\w-]+"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SOURCES = (
    (rf"embed\.acast\.com/({_ID})/({_ID})", r"https://feeder.acast.com/api/v1/shows/\1/episodes/\2", Kind.EMBED),
    (r"(?:embed\.)?podcasts\.apple\.com/(?:[^?#]*/)?id(\d+)", r"https://itunes.apple.com/lookup?id=\1", Kind.EMBED),
    (r"(?:www\.)?archive\.org/embed/([\w.-]+)", r"https://archive.org/metadata/\1", Kind.EMBED),
    (r"embeds\.audioboom\.com/posts/(\d+)", r"https://audioboom.com/posts/\1", Kind.EMBED),
    (
        r"(?:www\.)?buzzsprout\.com/(\d+)/(?:episodes/)?(\d+)[\w-]*\.js",
        r"https://www.buzzsprout.com/\1/\2?client_source=small_player&iframe=true",
        Kind.EMBED,
    ),
    (r"(?:www\.)?buzzsprout\.com/(\d+)\.js", r"https://feeds.buzzsprout.com/\1.rss", Kind.FEED),
    (rf"clyp\.it/({_ID})", r"https://api.clyp.it/\1", Kind.EMBED),
    (rf"playlist\.megaphone\.fm/?\?(?:[^#]*&)?e=({_ID})", r"https://player.megaphone.fm/\1", Kind.EMBED),
    (rf"playlist\.megaphone\.fm/?\?(?:[^#]*&)?p=({_ID})", r"https://feeds.megaphone.fm/\1", Kind.FEED),
    (rf"(?:embed|player)\.simplecast\.com/({_UUID})", r"https://api.simplecast.com/episodes/\1", Kind.EMBED),
    (
        r"widget\.spreaker\.com/player\?(?:[^#]*&)?episode_id=(\d+)",
        r"https://api.spreaker.com/v2/episodes/\1",
        Kind.EMBED,
    ),
    (
        r"widget\.spreaker\.com/player\?(?:[^#]*&)?show_id=(\d+)",
        r"https://www.spreaker.com/show/\1/episodes/feed",
        Kind.FEED,
    ),
)
_PATTERNS = tuple((re.compile(f"https?://{pattern}", re.IGNORECASE), url, kind) for pattern, url, kind in _SOURCES)


def sources_of(player_url: str) -> Iterator[tuple[str, Kind]]:
    """Yield the URL, with its kind, from which the player at an absolute URL loads its media.

    For an episode this is a document to parse at once; for a whole show, its feed.
    """
    for pattern, url, kind in _PATTERNS:
        if match := pattern.match(player_url):
            yield match.expand(url), kind
            return
