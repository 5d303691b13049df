"""Hosts whose embedded players hold audio, and those that hold video only."""

from urllib.parse import urlsplit

AUDIO_PLAYER_HOSTS = frozenset(
    (
        "acast.com",
        "anchor.fm",
        "art19.com",
        "audioboom.com",
        "audiomack.com",
        "audiomeans.fr",
        "ausha.co",
        "bandcamp.com",
        "blubrry.com",
        "buzzsprout.com",
        "captivate.fm",
        "castbox.fm",
        "castos.com",
        "chirb.it",
        "clyp.it",
        "deezer.com",
        "fireside.fm",
        "hearthis.at",
        "iheart.com",
        "ivoox.com",
        "jamendo.com",
        "libsyn.com",
        "megaphone.fm",
        "mixcloud.com",
        "omny.fm",
        "omnycontent.com",
        "playerfm.com",
        "podbean.com",
        "podcasts.apple.com",
        "podcasters.spotify.com",
        "podigee.io",
        "podlove.org",
        "podomatic.com",
        "pinecast.com",
        "redcircle.com",
        "reverbnation.com",
        "rss.com",
        "simplecast.com",
        "soundcloud.com",
        "spotify.com",
        "spreaker.com",
        "stitcher.com",
        "tidal.com",
        "transistor.fm",
        "tunein.com",
        "vocaroo.com",
        "zencast.fm",
    )
)
_VIDEO_HOSTS = frozenset(
    (
        "brightcove.com",
        "brightcove.net",
        "dailymotion.com",
        "facebook.com",
        "jwplatform.com",
        "kaltura.com",
        "ooyala.com",
        "ted.com",
        "tiktok.com",
        "twitch.tv",
        "vimeo.com",
        "youtu.be",
        "youtube-nocookie.com",
        "youtube.com",
    )
)


def is_audio_player_host(url: str) -> bool:
    """Return whether the URL's host, or a domain above it, is known for audio players."""
    return any(domain in AUDIO_PLAYER_HOSTS for domain in _domains(url))


def is_video_host(url: str) -> bool:
    """Return whether the URL's host, or a domain above it, is known to hold video only."""
    return any(domain in _VIDEO_HOSTS for domain in _domains(url))


def _domains(url: str) -> list[str]:
    try:
        labels = (urlsplit(url).hostname or "").split(".")
    except ValueError:
        return []
    return [".".join(labels[start:]) for start in range(len(labels))][:10]
