"""The interface of every store, and how one is opened by its URI.

To add a store, write a class with the methods of Store, whose constructor takes a URI and Options, and register it in
STORES or AUDIO_STORES. ``key_in``, ``digest``, ``content_disposition`` and ``source_address`` are shared by all.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar, Protocol, cast
from urllib.parse import quote

from audiocrawler.model.gcp import GcpAccess
from audiocrawler.model.text import mask_url
from audiocrawler.model.uris import load_registered

PIECE_BYTES = 1 << 20


def digest(file: IO[bytes], algorithm: str) -> bytes:
    """Return the file's digest; ``algorithm`` is hashlib's name or ``crc32c`` (RFC 9260, appendix A), big-endian."""
    hashing = _new(algorithm)
    while piece := file.read(PIECE_BYTES):
        hashing.update(piece)
    return bytes(hashing.digest())


def _new(algorithm: str) -> Any:
    if algorithm != "crc32c":
        return hashlib.new(algorithm, usedforsecurity=False)
    import google_crc32c

    return google_crc32c.Checksum()


ROOT = "sha256/"
"""Prefix of every object's name."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"sha256/([0-9a-f]{2})/([0-9a-f]{2})/\1\2[0-9a-f]{60}\.[0-9A-Za-z]+")


def object_key(sha256: str, extension: str) -> str:
    """Return ``sha256/ab/cd/<64 hex>.<ext>``: two levels of folders, so that no folder gets too large.

    Raises ValueError if ``sha256`` is not 64 lower-case hex digits.
    """
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}")
    return f"{ROOT}{sha256[:2]}/{sha256[2:4]}/{sha256}.{extension}"


def key_in(url: str) -> str | None:
    """Return the object key at the end of an object's URL, in any store; None if there is none."""
    found = _KEY.search(url)
    return found[0] if found and found.end() == len(url) else None


MAX_SOURCE_URL = 1024
"""Longest URL in an object's metadata, in characters: all metadata together must stay below 8 KiB."""

_UNSAFE_IN_QUOTES = re.compile(r'[^\x20-\x7e]|["\\/%]')
_ATTR_CHARS = "!#$&+.^_`|~-"
_URL_CHARS = "%/:?#[]@!$&'()*+,;=~"


def content_disposition(file_name: str) -> str:
    """Return a Content-Disposition with which a browser plays the object and saves it as ``file_name``.

    A name that is not plain ASCII is repeated in UTF-8 (RFC 6266, RFC 8187).
    """
    plain = _UNSAFE_IN_QUOTES.sub("_", file_name)
    encoded = quote(file_name.replace("/", "_"), safe=_ATTR_CHARS, errors="replace")
    return f'inline; filename="{plain}"' + (f"; filename*=UTF-8''{encoded}" if plain != file_name else "")


def source_address(url: str) -> str:
    """Return ``url`` with its secrets masked, in printable ASCII, cut to MAX_SOURCE_URL characters."""
    return quote(mask_url(url), safe=_URL_CHARS, errors="replace")[:MAX_SOURCE_URL]


STORES = {
    "file": "audiocrawler.storage.local.LocalStore",
    "": "audiocrawler.storage.local.LocalStore",
    "gs": "audiocrawler.storage.gcs.GcsStore",
}
"""Scheme -> dotted path of a class that takes the URI and Options; "" is a plain path. Imported only when used."""


@dataclass(frozen=True, slots=True)
class Options:
    """Further arguments of a store's constructor."""

    gcp: GcpAccess = field(default_factory=GcpAccess)
    schemes: Mapping[str, str] = field(default_factory=STORES.copy)
    """STORES, with what AUDIO_STORES adds."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as listed; ``sha256`` is from its metadata, None where the store keeps none."""

    url: str
    size_bytes: int
    sha256: str | None = None


class Store(Protocol):
    """Where objects are kept. Methods may be called from several threads at once."""

    is_local: ClassVar[bool]
    """Whether its objects' URLs are only valid on this machine."""

    @staticmethod
    def path_of(uri: str) -> Path | None:
        """Return the local folder of ``uri``, None for a store without one.

        Nothing is opened or created. Raises ConfigurationError.
        """
        ...

    def put(  # noqa: PLR0913 - what a bucket keeps beside the bytes
        self, path: Path, object_key: str, *, content_type: str, file_name: str, sha256: str, source_url: str
    ) -> str:
        """Store the file at ``path`` as ``object_key``, verify the object and return its URL; the file is kept.

        An existing object is kept if intact and replaced if it has other bytes. Raises StoreError.
        """
        ...

    def exists(self, url: str, size_bytes: int | None) -> bool:
        """Return whether the object at ``url`` is in this store, with this size if one is given. Raises StoreError."""
        ...

    def has_bytes_of(self, path: Path, url: str, sha256: str) -> bool:
        """Return whether the object at ``url`` equals the file, whose hash is ``sha256``. Raises StoreError."""
        ...

    def url_of(self, object_key: str) -> str:
        """Return the URL that ``put`` returns for ``object_key``."""
        ...

    def objects(self) -> Iterator[StoredObject]:
        """Yield every object that is named by its hash, in any order, without reading it. Raises StoreError."""
        ...

    def sha256_of(self, url: str) -> str:
        """Read the whole object and return its SHA-256 in hex. Raises StoreError."""
        ...

    def digest_of(self, url: str, algorithm: str) -> bytes:
        """Read the whole object and return a digest; ``algorithm`` is hashlib's name or ``crc32c``.

        Raises StoreError.
        """
        ...

    def open_object(self, url: str) -> IO[bytes]:
        """Open the object at ``url``, which is in this store, for reading; it can be sought in. Raises StoreError.

        So do its methods where the object is far away.
        """
        ...

    def remove(self, url: str) -> bool:
        """Delete the object at ``url`` and return whether it existed. Raises StoreError."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def place_of(url: str, size_bytes: int | None, store: Store) -> str:
    """Return the current URL of the object at ``url``: in ``store`` if that has an object with its hash, else ``url``.

    Objects are identified by hash, so that a folder or bucket may be moved. Raises StoreError.
    """
    key = key_in(url)
    here = store.url_of(key) if key else url
    return here if here != url and store.exists(here, size_bytes) else url


def store_class(uri: str, options: Options, setting: str = "AUDIO_STORE") -> type[Store]:
    """Return the class of the store at ``uri`` without opening it. Raises ConfigurationError for an unknown scheme."""
    return cast("type[Store]", load_registered(uri, options.schemes, setting))


def open_store(uri: str, options: Options | None = None, setting: str = "AUDIO_STORE") -> Store:
    """Open the store at ``uri``: ``file:data/objects``, ``/srv/objects`` or ``gs://bucket/prefix``.

    Raises ConfigurationError, which names ``setting``, if the scheme is unknown or the store cannot be written to.
    """
    options = options or Options()
    return cast(Store, load_registered(uri, options.schemes, setting)(uri, options))
