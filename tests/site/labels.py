"""What a crawl of the site must find: each audio URL, the page that names it, and what becomes of it.

The one duplicate is two links away from the first page, which itself plays the original: the order is sure.
"""

import hashlib
from dataclasses import dataclass

from tests.site.answers import Options
from tests.site.behaviours import AUDIO, signed_path
from tests.site.tones import tone_path, tone_wav


@dataclass(frozen=True, slots=True)
class Label:
    """Paths as the server gets them, ``page`` the smallest that names the audio; the ``status`` of audio_sources."""

    path: str
    page: str
    status: str = "stored"
    sha256: str | None = None
    second: bool = False


def sha256_of(name: str) -> str:
    """Return the SHA-256 of a committed file."""
    return hashlib.sha256((AUDIO / name).read_bytes()).hexdigest()


def _file(path: str, page: str, *, name: str | None = None, status: str = "stored", second: bool = False) -> Label:
    digest = sha256_of(name or path.rpartition("/")[2])
    return Label(path, page, status, digest if status in {"stored", "duplicate"} else None, second)


ARCHIVE = (
    _file("/audio/surf.mp3", "/shore.html"),
    _file("/audio/harbour-bell.flac", "/shore.html"),
    _file("/audio/harbour-bell.mp3", "/shore.html", status="alternate"),
    _file("/audio/harbour-bell.ogg", "/shore.html", status="alternate"),
    _file("/audio/tram.opus", "/city.html"),
    _file("/audio/market.webm", "/city.html"),
    _file("/audio/bells.aiff", "/city.html"),
    _file("/audio/foghorn.wav", "/city.html"),
    _file("/audio/rain.ogg", "/"),
    _file("/audio/wind.aac", "/weather.html"),
    _file("/audio/creek.wav", "/weather.html"),
    _file("/audio/M%C3%B6wen%20am%20Kai.ogg", "/birds.html", name="gulls.ogg"),
    _file("/audio/interview-anna.mp3", "/ferry.html"),
    _file("/audio/interview-boris.m4a", "/nets.html"),
    _file("/audio/lighthouse-log.mp3", "/lighthouse.html"),
    _file("/audio/letter.opus", "/lighthouse.html"),
    _file("/audio/quiet-room.wav", "/lighthouse.html"),
    _file("/audio/lantern.mp3", "/music.html"),
    _file("/audio/undertow.m4a", "/music.html"),
    _file("/audio/long-swell.flac", "/music.html"),
    _file("/audio/overloaded.wav", "/music.html"),
    _file("/audio/episode-1.mp3", "/podcast/feed.rss"),
    _file("/audio/episode-2.mp3", "/podcast/feed.rss"),
    _file("/audio/episode-3.m4a", "/podcast/feed.rss"),
    _file("/audio/episode-4.ogg", "/podcast/feed.atom"),
    _file("/audio/forecast.mp3", "/radio.html"),
    _file("/audio/playlist-1.mp3", "/radio/yesterday.m3u"),
    _file("/audio/playlist-2.mp3", "/radio/yesterday.m3u"),
    _file("/audio/playlist-3.ogg", "/radio/tapes.pls"),
    Label("/radio/live", "/radio.html", "stream"),
)
WORKSHOP = (
    _file("/audio/absolute.mp3", "/addresses.html"),
    _file("/audio/no-scheme.mp3", "/addresses.html"),
    _file("/audio/cdn.mp3", "/addresses.html", second=True),
    _file("/audio/STATION-ID.MP3", "/addresses.html", name="station-id.mp3"),
    _file("/audio/base.mp3", "/shelf/base.html"),
    _file("/audio/query.mp3?take=2&mix=dry", "/query.html", name="query.mp3"),
    _file("/audio/lazy.mp3", "/lazy.html"),
    _file("/audio/graph.mp3", "/graph.html"),
    _file("/audio/stream-card.mp3", "/card.html"),
    _file("/audio/structured.mp3", "/structured.html"),
    _file("/audio/embed.mp3", "/player/audio.html"),
    _file("/audio/broken.mp3", "/broken.html"),
    _file("/audio/caf%C3%A9.mp3", "/cafe.html", name="cafe.mp3"),
    _file("/moved/once.mp3", "/redirects.html", name="hop-one.mp3"),
    _file("/moved/twice.mp3", "/redirects.html", name="hop-two.mp3"),
    _file("/copies/rain-backup.ogg", "/copies.html", name="rain.ogg", status="duplicate"),
    _file("/download?id=42", "/downloads.html", name="download.mp3"),
    _file("/downloads/packed.wav", "/downloads.html"),
    _file(signed_path("/signed/session.mp3"), "/signed.html", name="signed.mp3"),
    Label("/withheld/lullaby.mp3", "/withheld.html", "opted_out"),
    Label("/private/vault.mp3", "/withheld.html", "robots"),
)
TROUBLE = (
    Label("/trouble/lost.mp3", "/trouble.html", "failed"),
    Label("/trouble/withdrawn.mp3", "/trouble.html", "gone"),
    _file("/trouble/flaky.mp3", "/trouble.html"),
    _file("/trouble/slow.mp3", "/trouble.html"),
    _file("/trouble/cassette.mp3", "/trouble.html"),
    Label("/trouble/wax-cylinder.mp3", "/trouble.html", "failed"),
    Label("/impostors/page.mp3", "/impostors.html", "not_audio"),
    Label("/impostors/login.mp3", "/impostors.html", "not_audio"),
    Label("/impostors/picture.mp3", "/impostors.html", "not_audio"),
    Label("/impostors/empty.mp3", "/impostors.html", "failed"),
)
MANY = tuple(
    Label(tone_path(number), "/many/", sha256=hashlib.sha256(tone_wav(number)).hexdigest())
    for number in range(Options().many_files)
)
LABELS = ARCHIVE + WORKSHOP + TROUBLE + MANY
"""What a crawl of the site's first page with depth=2 finds."""

SECOND_HOST = (
    _file("/audio/cdn-page.mp3", "/", second=True),
    _file("/audio/notebook.mp3", "/loans.html", second=True),
)
"""What a crawl that starts at the second host finds besides ``/audio/surf.mp3`` of the first."""
