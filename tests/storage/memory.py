"""A store in memory, registered by AUDIO_STORES: all that a new store needs to be."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, ClassVar

from audiocrawler.model.errors import StoreError
from audiocrawler.storage import Options, StoredObject, key_in
from audiocrawler.storage.store import digest
from tests.memory import remembered


class Shelf(dict[str, bytes]):
    """The objects by their keys, in the process that keeps them."""

    def sizes(self) -> dict[str, int]:
        return {key: len(content) for key, content in self.items()}


class MemoryStore:
    """Objects below ``memory://host:port/name``."""

    is_local: ClassVar[bool] = True

    @staticmethod
    def path_of(uri: str) -> None:
        """Return None: memory is no folder."""

    def __init__(self, uri: str, options: Options) -> None:
        del options
        self._uri = uri
        self._shelf = remembered("shelf", uri)

    def put(self, path: Path, object_key: str, *, sha256: str, **about: str) -> str:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}; run again") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreError(f"{path}: does not have the hash of {object_key}; run again")
        self._shelf.update({object_key: content})
        return self.url_of(object_key)

    def exists(self, url: str, size_bytes: int | None) -> bool:
        content = self._content(url)
        return content is not None and size_bytes in {None, len(content)}

    def has_bytes_of(self, path: Path, url: str, sha256: str) -> bool:
        del sha256
        return self._content(url) == path.read_bytes()

    def url_of(self, object_key: str) -> str:
        return f"{self._uri}/{object_key}"

    def objects(self) -> Iterator[StoredObject]:
        yield from (StoredObject(self.url_of(key), size_bytes) for key, size_bytes in self._shelf.sizes().items())

    def sha256_of(self, url: str) -> str:
        return self.digest_of(url, "sha256").hex()

    def digest_of(self, url: str, algorithm: str) -> bytes:
        content = self._content(url)
        if content is None:
            raise StoreError(f"{url}: cannot be read: it is not there")
        return digest(io.BytesIO(content), algorithm)

    def open_object(self, url: str) -> IO[bytes]:
        content = self._content(url)
        if content is None:
            raise StoreError(f"{url}: cannot be read: it is not there")
        return io.BytesIO(content)

    def remove(self, url: str) -> bool:
        return self._shelf.pop(key_in(url), None) is not None

    def close(self) -> None:
        """Do nothing: connections end with their threads."""

    def _content(self, url: str) -> bytes | None:
        key = key_in(url)
        content: bytes | None = self._shelf.get(key) if key and self.url_of(key) == url else None
        return content
