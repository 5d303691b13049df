"""A file in; an object stored under its hash, and its URL, out."""

from audiocrawler.storage.store import Store, StoredObject, key_in, object_key, open_store, place_of

__all__ = ["Store", "StoredObject", "key_in", "object_key", "open_store", "place_of"]
