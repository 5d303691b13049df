"""The server: Datasette over one database, on this machine only."""

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from datasette.app import Datasette
from datasette.plugins import pm

from audiocrawler.browse.about import DATABASE, PAGE_ROWS, metadata
from audiocrawler.browse.database import ReadOnlyDatabase
from audiocrawler.browse.objects import Objects
from audiocrawler.browse.plugin import LOOKS, Plugin
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.storage import Store

HOST = "127.0.0.1"
_HERE = Path(__file__).parent
_SETTINGS = {
    "default_page_size": PAGE_ROWS,
    "sql_time_limit_ms": 5000,
    "facet_time_limit_ms": 2000,
    "suggest_facets": False,  # it would count every column of a view
    "allow_download": False,
    "default_cache_ttl": 0,  # a crawl may be running
    "truncate_cells_html": 200,
}

_PRINTS_TRACEBACKS = "datasette.handle_exception"
"""Datasette's own plugin prints each page that was not found, with all variables, and fails where rich is installed."""


def bound(port: int) -> socket.socket:
    """Return a socket that listens on this machine; port 0 means a free one. Raises ConfigurationError."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)  # strerror of the error has the address, too
        raise ConfigurationError(f"--port {port}: {reason}; give another one, or 0 for one that is free") from error


def serve(path: Path, store: Store | None, listening: socket.socket, begin: Callable[[], None]) -> None:
    """Serve the database until Ctrl-C; ``begin`` is called when the first request would be answered."""
    with _application(path, store) as datasette:
        config = uvicorn.Config(
            datasette.app(),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        begin()
        try:
            _Server(config).run(sockets=[listening])
        except KeyboardInterrupt:
            return


class _Server(uvicorn.Server):
    """Ends without a traceback for each transfer that its user has ended with it."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        super().handle_exit(sig, frame)


@contextmanager
def _application(path: Path, store: Store | None) -> Iterator[Datasette]:
    datasette = Datasette(
        metadata=metadata(),
        settings=_SETTINGS,
        template_dir=str(_HERE / "templates"),
        static_mounts=[(LOOKS, str(_HERE / LOOKS))],
    )
    datasette.remove_database("_memory")
    database = ReadOnlyDatabase(datasette, str(path))
    datasette.add_database(database, name=DATABASE)
    plugin = Plugin(Objects(store, database.find))
    pm.register(plugin, plugin.__name__)
    theirs = pm.unregister(name=_PRINTS_TRACEBACKS)
    try:
        yield datasette
    finally:
        pm.register(theirs, _PRINTS_TRACEBACKS)
        pm.unregister(plugin)
        database.close()
