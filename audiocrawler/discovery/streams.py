"""Telling an endless radio stream from a file by its URL."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

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
    """Return whether ``url`` looks like a mount of a streaming server rather than a file.

    Mounts have short paths without dates or numbers, on hosts, ports or under names that are used for radio.
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
    """Return whether a label of the host below its domain, or a part of one, is a word for streaming."""
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
