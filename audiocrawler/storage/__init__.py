"""A file in; an object stored under its hash, and its URL, out."""

from audiocrawler.storage.object_key import key_in, object_key
from audiocrawler.storage.store import Store, StoredObject, open_store, place_of

__all__ = ["Store", "StoredObject", "key_in", "object_key", "open_store", "place_of"]
