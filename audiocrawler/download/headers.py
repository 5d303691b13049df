"""What an answer's headers tell of its body, before a byte of it is transferred."""

from scrapy.http import Headers

_PLAYLIST_TYPES = frozenset(
    {"audio/mpegurl", "audio/x-mpegurl", "audio/x-scpls", "audio/scpls", "audio/x-pn-realaudio-plugin"}
)
_AUDIO_TYPES = frozenset({"application/ogg", "application/x-flac"})
_REFUSED_TYPES = frozenset(
    {"text/html", "application/xhtml+xml", "text/css", "text/javascript", "application/javascript", "application/pdf"}
)


def media_type(headers: Headers) -> str:
    """Return the media type without its parameters, in lower case; an empty string where there is none."""
    value = headers.get("Content-Type") or b""
    return value.decode("latin-1").split(";", 1)[0].strip().lower()


def is_audio_type(headers: Headers) -> bool:
    """Return whether the body is declared to be audio, or a video that may hold some, and not a playlist."""
    declared = media_type(headers)
    if declared in _PLAYLIST_TYPES:
        return False
    return declared.startswith(("audio/", "video/")) or declared in _AUDIO_TYPES


def is_refused_type(headers: Headers) -> bool:
    """Return whether the body is declared to be what no audio file is: a document, an image, a script."""
    declared = media_type(headers)
    return declared.startswith(("image/", "font/")) or declared in _REFUSED_TYPES | _PLAYLIST_TYPES


def is_endless(headers: Headers) -> bool:
    """Return whether this is a radio stream: it introduces itself as one, and names no length."""
    if headers.get("Content-Length"):
        return False
    return any(name in headers for name in ("icy-name", "icy-br", "icy-metaint", "icy-genre", "icy-url"))
