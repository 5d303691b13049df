"""Hosts whose embedded players hold audio, and those that hold video only."""

from urllib.parse import urlsplit

_AUDIO = """
acast.com anchor.fm art19.com audio.com audioboom.com audiomack.com audiomeans.fr ausha.co awesound.com bandcamp.com
blubrry.com boomplay.com buzzsprout.com captivate.fm castbox.fm castos.com chirb.it clyp.it deezer.com
embed.music.apple.com fireside.fm firstory.me headliner.app hearthis.at hubhopper.com iheart.com iono.fm ivoox.com
jamendo.com julep.de letscast.fm libsyn.com listennotes.com megaphone.fm mixcloud.com omny.fm omnycontent.com
pinecast.com pippa.io playerfm.com playpodca.st plinkhq.com podbean.com podcasters.spotify.com podcastics.com
podcasts.apple.com podchaser.com podcloud.fr podigee-cdn.net podigee.io podlove.org podomatic.com prx.org
radiopublic.com redcircle.com reverbnation.com rss.com saooti.com shoutengine.com simplecast.com soundcloud.com
sounder.fm soundon.fm spotify.com spreaker.com springcast.fm stitcher.com tidal.com transistor.fm tunein.com
vocaroo.com whooshkaa.com zencast.fm zencastr.com
"""
_VIDEO = """
brightcove.com brightcove.net dailymotion.com facebook.com jwplatform.com kaltura.com ooyala.com ted.com tiktok.com
twitch.tv vimeo.com youtu.be youtube-nocookie.com youtube.com
"""
AUDIO_PLAYER_HOSTS = frozenset(_AUDIO.split())
_VIDEO_HOSTS = frozenset(_VIDEO.split())


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
