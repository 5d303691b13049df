"""A URI in; an open store out. What every store gives.

A new store is a class with the methods of Store, whose constructor takes a URI and Options, and a line in STORES or in
AUDIO_STORES. ``key_in``, ``digest``, ``content_disposition`` and ``source_address`` are there for all of them.
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
    """Return the digest by hashlib's name for it, or by ``crc32c`` (RFC 9260, appendix A), big-endian."""
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
"""What the name of every object begins with."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY = re.compile(r"sha256/([0-9a-f]{2})/([0-9a-f]{2})/\1\2[0-9a-f]{60}\.[0-9A-Za-z]+")


def object_key(sha256: str, extension: str) -> str:
    """Return ``sha256/ab/cd/<64 hex>.<ext>``: two levels of folders, so that no folder gets long.

    Raises ValueError if ``sha256`` is not 64 lower-case hex digits.
    """
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}")
    return f"{ROOT}{sha256[:2]}/{sha256[2:4]}/{sha256}.{extension}"


def key_in(url: str) -> str | None:
    """Return the name that an object's URL ends with, wherever its store is; None where it names no such object."""
    found = _KEY.search(url)
    return found[0] if found and found.end() == len(url) else None


MAX_SOURCE_URL = 1024
"""Characters of an address that are kept: all metadata of an object together must stay below 8 KiB."""

_UNSAFE_IN_QUOTES = re.compile(r'[^\x20-\x7e]|["\\/%]')
_ATTR_CHARS = "!#$&+.^_`|~-"
_URL_CHARS = "%/:?#[]@!$&'()*+,;=~"


def content_disposition(file_name: str) -> str:
    """Return a Content-Disposition under which a browser plays the object and saves it as ``file_name``.

    A name that is not plain ASCII follows a second time in UTF-8 (RFC 6266, RFC 8187).
    """
    plain = _UNSAFE_IN_QUOTES.sub("_", file_name)
    encoded = quote(file_name.replace("/", "_"), safe=_ATTR_CHARS, errors="replace")
    return f'inline; filename="{plain}"' + (f"; filename*=UTF-8''{encoded}" if plain != file_name else "")


def source_address(url: str) -> str:
    """Return ``url`` with its secrets masked, in printable ASCII, cut off after MAX_SOURCE_URL characters."""
    return quote(mask_url(url), safe=_URL_CHARS, errors="replace")[:MAX_SOURCE_URL]


STORES = {
    "file": "audiocrawler.storage.local.LocalStore",
    "": "audiocrawler.storage.local.LocalStore",
    "gs": "audiocrawler.storage.gcs.GcsStore",
}
"""Scheme -> dotted path of a class that takes the URI and Options; "" is a plain path. Imported only when used."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a store may need besides its URI."""

    gcp: GcpAccess = field(default_factory=GcpAccess)
    schemes: Mapping[str, str] = field(default_factory=STORES.copy)
    """STORES, with what AUDIO_STORES adds."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing tells it; ``sha256`` is what is kept beside the bytes, None where nothing is."""

    url: str
    size_bytes: int
    sha256: str | None = None


class Store(Protocol):
    """Where objects are kept. Methods may be called from several threads at once."""

    is_local: ClassVar[bool]
    """Whether the URLs of its objects mean nothing on another machine."""

    @staticmethod
    def path_of(uri: str) -> Path | None:
        """Return the folder of this machine that ``uri`` names, None where objects are in no folder.

        Nothing is opened or created. Raises ConfigurationError.
        """
        ...

    def put(  # noqa: PLR0913 - what a bucket keeps beside the bytes
        self, path: Path, object_key: str, *, content_type: str, file_name: str, sha256: str, source_url: str
    ) -> str:
        """Store the file at ``path`` as ``object_key``, verify it, and return its URL; the file itself stays.

        An object that is already whole is kept, one with other bytes is replaced. Raises StoreError.
        """
        ...

    def exists(self, url: str, size_bytes: int | None) -> bool:
        """Tell whether the object at ``url`` is in this store, with this size if one is given. Raises StoreError."""
        ...

    def has_bytes_of(self, path: Path, url: str, sha256: str) -> bool:
        """Tell whether the object at ``url`` has the bytes of the file, whose hash this is. Raises StoreError."""
        ...

    def url_of(self, object_key: str) -> str:
        """Return the URL that ``put`` returns for ``object_key``."""
        ...

    def objects(self) -> Iterator[StoredObject]:
        """Yield every object that stands under its hash, in no order, without reading it. Raises StoreError."""
        ...

    def sha256_of(self, url: str) -> str:
        """Return the SHA-256 of the object's bytes in hex, all of which are read. Raises StoreError."""
        ...

    def digest_of(self, url: str, algorithm: str) -> bytes:
        """Return a digest of the object's bytes, all of which are read: by hashlib's name for it, or ``crc32c``.

        Raises StoreError.
        """
        ...

    def open_object(self, url: str) -> IO[bytes]:
        """Open the object at ``url``, which is in this store, for reading; it can be sought in. Raises StoreError.

        So do its methods where the object is far away.
        """
        ...

    def remove(self, url: str) -> bool:
        """Delete the object at ``url``, which is in this store, and tell whether it was there. Raises StoreError."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def place_of(url: str, size_bytes: int | None, store: Store) -> str:
    """Return where the object at ``url`` is now: in ``store`` if that has it under its hash, else where it was.

    An object is known by its hash, so that a folder or bucket may be moved with all that is in it. Raises StoreError.
    """
    key = key_in(url)
    here = store.url_of(key) if key else url
    return here if here != url and store.exists(here, size_bytes) else url


def store_class(uri: str, options: Options, setting: str = "AUDIO_STORE") -> type[Store]:
    """Return the class of the store at ``uri``, which is not opened. Raises ConfigurationError for another scheme."""
    return cast("type[Store]", load_registered(uri, options.schemes, setting))


def open_store(uri: str, options: Options | None = None, setting: str = "AUDIO_STORE") -> Store:
    """Return the store at ``uri``: ``file:data/objects``, ``/srv/objects`` or ``gs://bucket/prefix``.

    Raises ConfigurationError where the scheme is unknown or the store cannot be written to; ``setting`` is what has
    named the store.
    """
    options = options or Options()
    return cast(Store, load_registered(uri, options.schemes, setting)(uri, options))
