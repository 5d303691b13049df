"""Classify a URL by its name and declared type. All misleading names and types are handled here."""

import re
from enum import Enum
from functools import lru_cache
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

PACKED_EXTENSION = r"(?:7z|rar|tar|tbz2?|tgz|txz|tzst|zip|tar\.(?:gz|bz2|xz|zst|lzma|Z))"
"""Pattern of the extensions of archives."""

FOLLOWED_EXTENSIONS = {
    **dict.fromkeys(
        ["asx", "b4s", "jspf", "m3u", "meta4", "metalink", "pls", "ram", "wax", "wpl", "wvx", "xspf"], Kind.PLAYLIST
    ),
    **dict.fromkeys(("m3u8", "mpd"), Kind.MANIFEST),
    "opml": Kind.FEED,
}

_FOLLOWED_TYPES = {
    "application/atom+xml": Kind.FEED,
    "application/feed+json": Kind.FEED,
    "application/opds+json": Kind.FEED,
    "application/rss+xml": Kind.FEED,
    **dict.fromkeys(("application/x-opml", "text/opml", "text/x-opml", "text/x-opml+xml"), Kind.FEED),
    **dict.fromkeys(("application/audiobook+json", "application/opds-publication+json"), Kind.EMBED),
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

_MAX_NAME = 1000
_NAMED = AUDIO_EXTENSIONS | VIDEO_EXTENSIONS | OTHER_EXTENSIONS | FOLLOWED_EXTENSIONS.keys()
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


_SIMPLE = re.compile(r"(?!//)(?:https?://[a-z0-9.-]+)?(?:/[\w.~%-]*)*/([\w.~%-]*)(?:\?[\w.~%=&/-]*)?", re.ASCII)
"""A fast check: the last segment of a URL without anything unusual."""


@lru_cache(maxsize=256)
def extension_of(url: str) -> str:
    """Return the extension of the last path segment in lower case, without dot; empty if there is none.

    A semicolon may begin the segment's parameters (RFC 3986, section 3.3), or be part of a file's name.
    """
    if simple := _SIMPLE.fullmatch(url):
        return _extension(simple[1])
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    name = path.rpartition("/")[2]
    rest = name[-_MAX_NAME:]
    while ";" in rest:
        if (extension := _extension(rest)) in _NAMED:
            return extension
        rest = rest.rpartition(";")[0]
    return _extension(name.partition(";")[0])


def _extension(name: str) -> str:
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
_STREAM_LABEL = re.compile(r"(?:direct|ice|live|listen|radio|streams?|streaming)\d*")
_STREAM_SERVER = re.compile(r"icecast|shoutcast")
_MOUNT_NAME = re.compile(r"(?:listen|live|radio|(?:live)?streams?)(?:\.\w+)?", re.IGNORECASE)
_STREAM_PATH = re.compile(r"/radio/8\d{3}/|/livestream-redirect/", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d{4}")
_MOUNT_DEPTH = 2
_CERTAIN = 2


def is_endless(url: str) -> bool:
    """Return whether ``url`` can only be a mount point of a streaming server, so that it need not be requested.

    Either the server or the path is of a known kind of radio; or the path is short, without dates or numbers, and two
    of these are usual for radio: the host's name, its port, the file's name. No radio sends lossless files by name.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().removesuffix(".")
    name = parts.path.rpartition("/")[2]
    if extension_of(url) in LOSSLESS_EXTENSIONS:
        return False
    if _STREAM_PATH.search(parts.path):
        return True
    if _LONG_NUMBER.search(parts.path):
        return False
    if host.endswith(_STREAM_HOSTS) or name.startswith(";"):
        return True
    return _is_short(parts.path) and (_has_stream_server(host) or signs_of_radio(url) >= _CERTAIN)


def signs_of_radio(url: str) -> int:
    """Return how many of host, port and name are usual for radio; none of them proves anything."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().removesuffix(".")
    is_mount = _MOUNT_NAME.fullmatch(parts.path.rpartition("/")[2]) is not None
    return is_mount + _is_stream_host(host) + _has_odd_port(parts, host)


def _is_short(path: str) -> bool:
    return path.strip("/").count("/") < _MOUNT_DEPTH


def _is_stream_host(host: str) -> bool:
    """Return whether a subdomain, or a part of one, is a word for streaming."""
    below = host.split(".")[:-2]
    words = (word for label in below[:1] for word in label.split("-"))
    return any(_STREAM_LABEL.fullmatch(word) for word in words)


def _has_stream_server(host: str) -> bool:
    return any(_STREAM_SERVER.search(label) for label in host.split(".")[:-2])


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
_MAY_BE_FILE_PAGE = re.compile(r"wiki|index\.php|%|blob/|tree/|src/|details/|dl=0", re.IGNORECASE)
"""A fast check before the slow ones."""
_REPOSITORY = re.compile(r"https?://(?:github\.com|gitlab\.com|huggingface\.co|codeberg\.org)/", re.IGNORECASE)
_SERVED = re.compile(
    r"https?://[^/]+/(?:user-attachments/|api/v\d+/repos/[^/]+/[^/]+/raw/|[^/]+/[^/]+/(?:assets|files|media|raw|releases)/|.+/-/|.+/(?:resolve|uploads)/)"
    r"|[^?]+\?(?:.*&)?raw=",
    re.IGNORECASE,
)
_DOWNLOAD = re.compile(r"download|\bdl\b|getfile|get_file|media|audio|stream|serve|enclosure", re.IGNORECASE)
_MAX_QUERY = 2048
_PROGRAM_EXTENSIONS = frozenset(("", "php", "asp", "aspx", "ashx", "cgi", "do", "jsp", "pl"))
_MAY_BE_PACKED = (Kind.FEED, Kind.PLAYLIST)
_VIDEO_OR_AUDIO = frozenset(("ogg", "3ga", "asf"))


def classify(
    url: str, *, mime_type: str | None = None, expected: Kind | None = None, is_finite: bool = False
) -> Kind | None:
    """Return the kind of an absolute URL, None if it is irrelevant.

    ``mime_type`` is the type that the document declares, ``expected`` the kind implied by the URL's context. An
    unambiguous audio extension outweighs both, because declared types are wrong more often. ``is_finite``: a declared
    length or duration, say, shows that it is no radio.
    """
    if is_file_page(url):
        return Kind.PAGE
    if _REPOSITORY.match(url) and extension_of(url) in AUDIO_EXTENSIONS and not _SERVED.match(url):
        return None  # a path in the data of a repository's page, joined to the page
    kind = _kind(url, kind_of_type(mime_type), expected)
    if kind is Kind.AUDIO and (expected is Kind.STREAM or (not is_finite and is_endless(url))):
        return Kind.STREAM
    return kind


def is_file_page(url: str) -> bool:
    """Return whether ``url`` ends like an audio file but is a page about one.

    Recognised: MediaWiki, file views of code hosts, items of the Internet Archive, and Dropbox without a download.
    """
    if extension_of(url) not in AUDIO_EXTENSIONS or not _MAY_BE_FILE_PAGE.search(url):
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
    """Return whether the type of a video rules out a file whose extension videos have, too."""
    return declared is Other.VIDEO and extension in _VIDEO_OR_AUDIO


_NAMING = "attachment dl download f file filename files fn fname get mp3 name path song src track wav"
_NAMING_PARAMETERS = frozenset(_NAMING.split())
_SHOWN = re.compile(r"edit|embed|info|player|popup|preview|share|show|view", re.IGNORECASE)
_AFTER_NAME = frozenset(("content", "data", "download", "file", "get", "original", "play", "raw", "stream"))


def is_download_of_audio(url: str) -> bool:
    """Return whether a script serves an audio file that its URL names.

    In the query, ``download.php?file=x.mp3`` and listings such as ``index.php?dir=a&file=x.mp3``; or in the path before
    its last segment, ``x.mp3/download``, as repositories do.
    """
    parts = urlsplit(url)
    folder, _, name = parts.path.rstrip("/").rpartition("/")
    if name.lower() in _AFTER_NAME and extension_of(f"/{folder.rpartition('/')[2]}") in AUDIO_EXTENSIONS:
        return True
    if extension_of(url) not in _PROGRAM_EXTENSIONS:
        return False
    serves = bool(_DOWNLOAD.search(parts.path))
    may_list = not _SHOWN.search(parts.path)
    return any(
        extension_of(f"/{value.rpartition('/')[2]}") in AUDIO_EXTENSIONS and "://" not in value
        for key, value in parse_qsl(parts.query[:_MAX_QUERY])
        if serves or (may_list and key.lower() in _NAMING_PARAMETERS)
    )
