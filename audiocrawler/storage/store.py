"""A URI in; an open store out. What every store gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from audiocrawler.gcp import GcpAccess
from audiocrawler.storage.object_key import key_in
from audiocrawler.uris import load_registered

STORES = {
    "file": "audiocrawler.storage.local.LocalStore",
    "": "audiocrawler.storage.local.LocalStore",
    "gs": "audiocrawler.storage.gcs.GcsStore",
}
"""Scheme -> dotted path of a class that takes the URI and a GcpAccess; imported only when used."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing tells it; ``sha256`` is what is kept beside the bytes, None where nothing is."""

    url: str
    size_bytes: int
    sha256: str | None = None


class Store(Protocol):
    """Where objects are kept. Methods may be called from several threads at once."""

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


def open_store(uri: str, gcp: GcpAccess | None = None, setting: str = "AUDIO_STORE") -> Store:
    """Return the store at ``uri``: ``file:data/objects``, ``/srv/objects`` or ``gs://bucket/prefix``.

    ``gcp`` says how to log in to Google, by default with Application Default Credentials. Raises ConfigurationError
    where the scheme is unknown or the store cannot be written to; ``setting`` is what has named the store.
    """
    return cast(Store, load_registered(uri, STORES, setting)(uri, gcp or GcpAccess()))
