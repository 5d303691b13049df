"""A process that keeps in memory what the tests' own store and warehouse hold, for every process of a test."""

import json
from multiprocessing import get_context
from multiprocessing.managers import BaseManager
from typing import Any
from urllib.parse import urlsplit

STORES = {"memory": "tests.storage.memory.MemoryStore"}
WAREHOUSES = {"memory": "tests.warehouse.memory.MemoryWarehouse"}
SETTINGS = {"AUDIO_STORES": json.dumps(STORES), "AUDIO_WAREHOUSES": json.dumps(WAREHOUSES)}
_SHELVES: dict[str, Any] = {}
_TABLES: dict[str, Any] = {}


def _shelf(name: str) -> Any:
    from tests.storage.memory import Shelf

    return _SHELVES.setdefault(name, Shelf())


def _tables(name: str) -> Any:
    from tests.warehouse.memory import Tables

    return _TABLES.setdefault(name, Tables())


class Memory(BaseManager):
    """Each name has one shelf of objects and one set of tables."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), b"memory", ctx=get_context("spawn"))

    def place(self, name: str) -> str:
        """Return the URI of a store or a warehouse."""
        assert isinstance(self.address, tuple)
        return f"memory://{self.address[0]}:{self.address[1]}/{name}"


Memory.register("shelf", _shelf)
Memory.register("tables", _tables)


def remembered(kind: str, uri: str) -> Any:
    """Return what ``memory://host:port/name`` names: the ``shelf`` or the ``tables``."""
    parts = urlsplit(uri)
    memory = Memory(str(parts.hostname), int(parts.port or 0))
    memory.connect()
    return getattr(memory, kind)(parts.path)
