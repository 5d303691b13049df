"""Classify a URL by its name and declared type. All misleading names and types are handled here."""

import re
from enum import Enum
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

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
"""Extensions of files that are not audio even if the document says so."""

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
"""Matches a possible name of an audio file, playlist or manifest: a cheap check before a costly one."""


_AUSTRALIAN_HOST = re.compile(r"\.(?:asn|com|edu|gov|id|net|org)\.au$", re.IGNORECASE)


class Other(Enum):
    """A declared media type that rules audio out: ``VIDEO`` only weakly, since audio is often mislabelled so."""

    VIDEO = "video"
    NO_MEDIA = "no media"


def extension_of(url: str) -> str:
    """Return the extension of the last path segment in lower case, without dot; empty if there is none."""
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
    """Return the media type in lower case, without parameters."""
    return (mime_type or "").partition(";")[0].strip().lower()


def kind_of_type(mime_type: str | None) -> Kind | Other | None:
    """Return the kind implied by a media type, None if it implies none."""
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


_STREAM_HOSTS = (
    "hostingradio.ru",
    "laut.fm",
    "listen2myradio.com",
    "radiojar.com",
    "radionomy.com",
    "rndfnk.com",
    "shoutca.st",
    "shoutcast.com",
    "streamguys.com",
    "streamguys1.com",
    "streamon.fm",
    "streamtheworld.com",
    "torontocast.stream",
    "zeno.fm",
)
_STREAM_LABEL = re.compile(r"(?:direct|ice|live|listen|radio|streams?|streaming)\d*|.*(?:icecast|shoutcast).*")
_STREAM_NAME = re.compile(r"(?:live)?stream(?:\.\w+)?", re.IGNORECASE)
_MOUNT_NAME = re.compile(r"(?:listen|live|radio)(?:\.\w+)?", re.IGNORECASE)
_EPISODE = re.compile(r"/(?:episodes?|podcasts?|tracks?)/|[0-9a-f]{8}", re.IGNORECASE)
_STREAM_PATH = re.compile(r"/radio/8\d{3}/|/livestream-redirect/", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d{4}")
_MOUNT_DEPTH = 2


def is_endless(url: str) -> bool:
    """Return whether ``url`` looks like a mount point of a streaming server rather than a file.

    Mount points have short paths without dates or numbers, on hosts, ports or under names that are usual for radio.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().removesuffix(".")
    if _STREAM_PATH.search(parts.path):
        return True
    if _LONG_NUMBER.search(parts.path):
        return False
    name = parts.path.rpartition("/")[2]
    if host.endswith(_STREAM_HOSTS) or name.startswith(";"):
        return True
    if _STREAM_NAME.fullmatch(name) and not _EPISODE.search(parts.path):
        return True
    is_mount = _MOUNT_NAME.fullmatch(name) or _is_stream_host(host) or _has_odd_port(parts, host)
    return _is_short(parts.path) and bool(is_mount)


def _is_short(path: str) -> bool:
    return path.strip("/").count("/") < _MOUNT_DEPTH


def _is_stream_host(host: str) -> bool:
    """Return whether a subdomain, or a part of one, is a word for streaming."""
    below = host.split(".")[:-2]
    words = (word for label in below[:1] for word in label.split("-"))
    return any(_STREAM_LABEL.fullmatch(word) for word in words) or any("icecast" in label for label in below)


def _has_odd_port(parts: SplitResult, host: str) -> bool:
    if parts.port in (None, 80, 443) or "." not in host:
        return False
    try:
        return not ip_address(host).is_private
    except ValueError:
        return True


_WIKI_PAGE = re.compile(r"/wiki/(?!Special:|Spezial:)[^/]+:[^/]+$|/index\.php/[^/]+:[^/]+$", re.IGNORECASE)
_FILE_PAGE = re.compile(
    r"https?://(?:github\.com/[^/]+/[^/]+/(?:blob|tree)/[^?]++(?!.*[?&]raw=)|(?:gitlab\.[^/]+|huggingface\.co|hf\.co)/.+"
    r"/(?:blob|tree)/|[^/]+/[^?]+/-/(?:blob|tree)/|(?:codeberg\.org|gitea\.[^/]+|git\.[^/]+)/[^/]+/[^/]+/src/(?:branch|commit|tag)/"
    r"|(?:www\.)?archive\.org/details/|(?:www\.)?dropbox\.com/.+[?&]dl=0)",
    re.IGNORECASE,
)
_DOWNLOAD = re.compile(r"download|\bdl\b|getfile|get_file|media|audio|stream|serve|enclosure", re.IGNORECASE)
_MAX_QUERY = 2048
_PROGRAM_EXTENSIONS = frozenset(("", "php", "asp", "aspx", "ashx", "cgi", "do", "jsp", "pl"))
_MAY_BE_PACKED = (Kind.FEED, Kind.PLAYLIST)
_VIDEO_OR_AUDIO = frozenset(("ogg", "3ga", "asf"))


def classify(url: str, *, mime_type: str | None = None, expected: Kind | None = None) -> Kind | None:
    """Return the kind of an absolute URL, None if it is irrelevant.

    ``mime_type`` is the type that the document declares, ``expected`` the kind implied by the URL's context. An
    unambiguous audio extension outweighs both, because declared types are wrong more often.
    """
    if is_file_page(url):
        return Kind.PAGE
    kind = _kind(url, kind_of_type(mime_type), expected)
    if kind is Kind.AUDIO and (expected is Kind.STREAM or is_endless(url)):
        return Kind.STREAM
    return kind


def is_file_page(url: str) -> bool:
    """Return whether ``url`` ends like an audio file but is a page about one.

    Recognised: MediaWiki, file views of code hosts, items of the Internet Archive, and Dropbox without a download.
    """
    if extension_of(url) not in AUDIO_EXTENSIONS:
        return False
    return bool(_WIKI_PAGE.search(unquote(urlsplit(url).path)) or _FILE_PAGE.match(url))


def _kind(url: str, declared: Kind | Other | None, expected: Kind | None) -> Kind | None:
    extension = extension_of(url)
    if extension in FOLLOWED_EXTENSIONS:
        return FOLLOWED_EXTENSIONS[extension]
    if extension in AUDIO_EXTENSIONS:
        return None if _contradicts(extension, declared) else Kind.AUDIO
    if extension in OTHER_EXTENSIONS and expected not in _MAY_BE_PACKED:
        return None
    if isinstance(declared, Kind):
        return declared
    return _kind_by_place(url, declared, expected)


def _kind_by_place(url: str, declared: Other | None, expected: Kind | None) -> Kind | None:
    """Return the kind of a URL without a meaningful extension, or with one of video, which may be played as audio."""
    if expected in (Kind.AUDIO, Kind.STREAM):
        return None if declared else expected
    if expected is Kind.EMBED:
        return None if extension_of(url) in VIDEO_EXTENSIONS else expected
    if expected is not None or declared is not None:
        return expected
    return Kind.AUDIO if is_download_of_audio(url) else None


def _contradicts(extension: str, declared: Kind | Other | None) -> bool:
    if declared is Other.VIDEO:
        return extension in _VIDEO_OR_AUDIO
    return declared is Other.NO_MEDIA


def is_download_of_audio(url: str) -> bool:
    """Return whether a script's query names the audio file that it serves: ``download.php?file=x.mp3``."""
    parts = urlsplit(url)
    if extension_of(url) not in _PROGRAM_EXTENSIONS or not _DOWNLOAD.search(parts.path):
        return False
    values = (value for _, value in parse_qsl(parts.query[:_MAX_QUERY]))
    return any("://" not in value and extension_of(value) in AUDIO_EXTENSIONS for value in values)
