"""An audio row and the folder of its object in; the object in another store, or why it is not there, out."""

from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from audiocrawler.errors import StoreError
from audiocrawler.items import AudioMetadata
from audiocrawler.storage import Store, StoredObject, key_in


@dataclass(frozen=True, slots=True)
class Put:
    """The object as the store has it, or the ``problem`` in one line; ``is_refused`` tells that the store made it."""

    stored: StoredObject | None = None
    problem: str | None = None
    is_refused: bool = False


def put_object(row: AudioMetadata, folder: Path, store: Store) -> Put:
    """Put the object of ``row``, which is below ``folder``, into the store, if it has the bytes that its name tells.

    An object is never overwritten, so a damaged one would stay for good.
    """
    key = key_in(row.gcp_url)
    if key is None:
        return Put(problem=f"{row.gcp_url}: is not named by a hash, so it is no object of this collection")
    try:
        return _put(row, folder / key, key, store)
    except OSError as error:
        return Put(problem=f"{folder / key}: {error.strerror}")
    except StoreError as error:
        return Put(problem=str(error), is_refused=True)


def _put(row: AudioMetadata, path: Path, key: str, store: Store) -> Put:
    sha256, size_bytes = Path(key).stem, path.stat().st_size
    if row.size_bytes not in {None, size_bytes}:
        return Put(problem=f"{path}: is damaged: {size_bytes} bytes, not {row.size_bytes}; delete it and crawl again")
    if _sha256_of(path) != sha256:
        return Put(problem=f"{path}: is damaged: not the bytes of its hash; delete it and crawl again")
    url = store.put(
        path,
        key,
        content_type=row.content_type or "application/octet-stream",
        file_name=row.file_name,
        sha256=sha256,
        source_url=row.source_url or "",
    )
    return Put(StoredObject(url, size_bytes))


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
