"""Tables of file extensions and media types, and what each says about a URL."""

import re
from enum import Enum
from urllib.parse import urlsplit

from audiocrawler.discovery.candidate import Kind

_AUDIO = """
3ga aac ac3 adts aif aifc aiff amr ape au awb caf dff dsf dts eac3 f4a flac gsm m4a m4b m4r mka mp1 mp2 mp3 mpa mpc
mpga oga ogg oma opus ra snd spx tta wav wave weba wma wv
"""
_VIDEO = "3g2 3gp asf avi divx f4v flv m2ts m4v mkv mov mp4 mpeg mpg mts ogm ogv rm rmvb ts vob webm wmv"
_OTHER = """
7z avif bmp css csv doc docx epub exe gif gz ico jpeg jpg js json lrc mjs pdf png ppt pptx rar rtf srt svg swf tar tif
tiff torrent ttf txt vtt webp woff woff2 xls xlsx zip
"""
AUDIO_EXTENSIONS = frozenset(_AUDIO.split())
LOSSLESS_EXTENSIONS = frozenset(("aif", "aiff", "ape", "flac", "tta", "wav", "wave", "wv"))
VIDEO_EXTENSIONS = frozenset(_VIDEO.split())
OTHER_EXTENSIONS = frozenset(_OTHER.split())
"""Extensions of files that are no audio even where the document says so."""

FOLLOWED_EXTENSIONS = {
    **dict.fromkeys(
        ["asx", "b4s", "jspf", "m3u", "meta4", "metalink", "pls", "ram", "wax", "wpl", "wvx", "xspf"], Kind.PLAYLIST
    ),
    **dict.fromkeys(("m3u8", "mpd"), Kind.MANIFEST),
}

_FOLLOWED_TYPES = {
    "application/atom+xml": Kind.FEED,
    "application/feed+json": Kind.FEED,
    "application/rss+xml": Kind.FEED,
    "application/jspf+json": Kind.PLAYLIST,
    "application/metalink+xml": Kind.PLAYLIST,
    "application/metalink4+xml": Kind.PLAYLIST,
    "application/pls+xml": Kind.PLAYLIST,
    "application/vnd.ms-wpl": Kind.PLAYLIST,
    "application/xspf+xml": Kind.PLAYLIST,
    "audio/mpegurl": Kind.PLAYLIST,
    "audio/scpls": Kind.PLAYLIST,
    "audio/x-mpegurl": Kind.PLAYLIST,
    "audio/x-pn-realaudio-plugin": Kind.PLAYLIST,
    "audio/x-scpls": Kind.PLAYLIST,
    "video/x-ms-asf-plugin": Kind.PLAYLIST,
    "video/x-ms-asx": Kind.PLAYLIST,
    "application/dash+xml": Kind.MANIFEST,
    "application/mpegurl": Kind.MANIFEST,
    "application/vnd.apple.mpegurl": Kind.MANIFEST,
    "application/x-mpegurl": Kind.MANIFEST,
    "audio/m3u8": Kind.MANIFEST,
    "vnd.apple.mpegurl": Kind.MANIFEST,
}
_AUDIO_TYPES = frozenset(f"application/{name}" for name in ("aac", "flac", "mp3", "ogg", "x-flac", "x-mp3"))
_SILENT_TYPES = frozenset(("application/octet-stream", "binary/octet-stream", "application/force-download"))

_BY_LENGTH = sorted(AUDIO_EXTENSIONS | FOLLOWED_EXTENSIONS.keys(), key=len, reverse=True)
MEDIA_EXTENSION = f"(?:{'|'.join(_BY_LENGTH)})"
"""Pattern of the extensions of audio files, playlists and manifests."""
MEDIA_NAME = re.compile(rf"\.{MEDIA_EXTENSION}(?![a-z0-9])", re.IGNORECASE)
"""Matches where a text may hold the name of an audio file, playlist or manifest: a cheap look before a costly one."""


_AUSTRALIAN_HOST = re.compile(r"\.(?:asn|com|edu|gov|id|net|org)\.au$", re.IGNORECASE)


class Other(Enum):
    """A media type that is named, and rules audio out: ``VIDEO`` weakly, since audio is often mislabelled so."""

    VIDEO = "video"
    NO_MEDIA = "no media"


def extension_of(url: str) -> str:
    """Return the extension of the last path segment in lower case, without the dot; empty if there is none."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    name = path.rpartition("/")[2].partition(";")[0]
    stem, dot, extension = name.rpartition(".")
    if not stem or not dot or _AUSTRALIAN_HOST.search(name):
        return ""
    return extension.strip().lower()


def bare_type(mime_type: str | None) -> str:
    """Return the media type in lower case without its parameters."""
    return (mime_type or "").partition(";")[0].strip().lower()


def kind_of_type(mime_type: str | None) -> Kind | Other | None:
    """Return what a media type says of the thing that carries it, None where it says nothing."""
    name = bare_type(mime_type)
    if "/" not in name or name in _SILENT_TYPES:
        return None
    if name in _FOLLOWED_TYPES:
        return _FOLLOWED_TYPES[name]
    if name.startswith("audio/") or name in _AUDIO_TYPES:
        return Kind.AUDIO
    if name.startswith("video/"):
        return Other.VIDEO
    return Other.NO_MEDIA if name.startswith(("image/", "text/", "application/")) else None
