"""A file in; an object stored under its hash, and its URL, out."""

from audiocrawler.storage.object_key import object_key
from audiocrawler.storage.store import Store, open_store

__all__ = ["Store", "object_key", "open_store"]
