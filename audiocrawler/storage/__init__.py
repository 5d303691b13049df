"""Stores, which keep each file as an object named by its hash."""

from audiocrawler.storage.store import (
    Options,
    Store,
    StoredObject,
    key_in,
    object_key,
    open_store,
    place_of,
    store_class,
)

__all__ = ["Options", "Store", "StoredObject", "key_in", "object_key", "open_store", "place_of", "store_class"]
