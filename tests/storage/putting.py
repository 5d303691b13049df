"""Content that the tests store, and how they store it."""

from hashlib import sha256
from pathlib import Path

from audiocrawler.storage import Store, object_key

CONTENT = b"fLaC" + bytes(range(256)) * 40


def key_of(content: bytes) -> str:
    return object_key(sha256(content).hexdigest(), "flac")


def put(store: Store, path: Path, *, file_name: str = "a.flac", source_url: str = "https://example.org/a.flac") -> str:
    content = path.read_bytes()
    digest = sha256(content).hexdigest()
    about = {"content_type": "audio/flac", "file_name": file_name, "source_url": source_url}
    return store.put(path, object_key(digest, "flac"), sha256=digest, **about)
