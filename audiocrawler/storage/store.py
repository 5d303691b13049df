"""A URI in; an open store out. What every store gives."""

from pathlib import Path
from typing import Protocol, cast

from audiocrawler.uris import load_registered

STORES = {
    "file": "audiocrawler.storage.local.LocalStore",
    "": "audiocrawler.storage.local.LocalStore",
}
"""Scheme -> dotted path of a class that takes the URI; imported only when used."""


class Store(Protocol):
    """Where objects are kept. Methods may be called from several threads at once."""

    def put(  # noqa: PLR0913 - what a bucket keeps beside the bytes
        self, path: Path, object_key: str, *, content_type: str, file_name: str, sha256: str, source_url: str
    ) -> str:
        """Store the file at ``path`` as ``object_key``, verify it, and return its URL; the file itself stays.

        An object that is already whole is kept. Raises StoreError.
        """
        ...

    def exists(self, url: str, size_bytes: int | None) -> bool:
        """Tell whether the object at ``url`` is in this store, with this size if one is given. Raises StoreError."""
        ...

    def url_of(self, object_key: str) -> str:
        """Return the URL that ``put`` returns for ``object_key``."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def open_store(uri: str) -> Store:
    """Return the store at ``uri``: ``file:data/objects``, ``file:///srv/objects`` or a plain path.

    Raises ConfigurationError where the scheme is unknown or the store cannot be written to.
    """
    return cast(Store, load_registered(uri, STORES)(uri))
