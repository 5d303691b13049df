"""Check that store and database can be opened and agree; nothing is created on this machine."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from scrapy.settings import BaseSettings

from audiocrawler.crawl.places import store_options, store_path, warehouse_options, warehouse_path
from audiocrawler.doctor.check import Check, broken, ok
from audiocrawler.model.errors import AudioCrawlerError
from audiocrawler.model.gcp import BIGQUERY_EMULATOR, STORAGE_EMULATOR
from audiocrawler.model.settings import AudioSettings
from audiocrawler.model.sqlite_file import remedy
from audiocrawler.model.uris import scheme_of
from audiocrawler.storage import Store, open_store, place_of
from audiocrawler.warehouse import count_pending, open_warehouse

BUSY_S = 2.0
LOOKED_AT, LOOKED_AT_AFAR = 200, 20
"""Rows that are checked."""
Row = tuple[str, int | None]


def of_places(settings: BaseSettings) -> Iterator[Check]:
    """Check credentials, store and database, and the objects of some rows."""
    of_credentials = list(_of_credentials(settings))
    yield from of_credentials
    if any(check.state == "broken" for check in of_credentials):
        return
    store, check = _opened_store(settings)
    yield check
    rows: list[Row] = []
    yield from _of_database(settings, rows)
    if store is not None:
        with closing(store):
            yield from _of_objects(store, rows, AudioSettings.of(settings).warehouse)


def _of_credentials(settings: BaseSettings) -> Iterator[Check]:
    ours = AudioSettings.of(settings)
    emulators = {"gs": STORAGE_EMULATOR, "bigquery": BIGQUERY_EMULATOR}
    for emulator in {
        emulators[scheme] for uri in (ours.store, ours.warehouse) if (scheme := scheme_of(uri)) in emulators
    }:
        try:
            login = store_options(settings).gcp.login(emulator)
        except AudioCrawlerError as error:
            yield broken("credentials", str(error))
            return
        except ImportError:
            yield broken("credentials", "Google's packages are not installed", "pip install 'audiocrawler[gcp]'")
            return
        account = getattr(login.credentials, "service_account_email", None) or type(login.credentials).__name__
        yield ok("credentials", f"{login.emulator or account}, project {login.project or 'not named'}")


def _opened_store(settings: BaseSettings) -> tuple[Store | None, Check]:
    uri, folder = AudioSettings.of(settings).store, store_path(settings)
    if folder is not None and not folder.exists():
        return None, ok("store", f"{uri} will be created by the first crawl")
    try:
        return open_store(uri, store_options(settings)), ok("store", f"{uri} can be written")
    except AudioCrawlerError as error:
        return None, broken("store", str(error))


def _of_database(settings: BaseSettings, rows: list[Row]) -> Iterator[Check]:
    uri, path = AudioSettings.of(settings).warehouse, warehouse_path(settings)
    if path is not None:
        yield (
            _of_file(uri, path, rows) if path.exists() else ok("database", f"{uri} will be created by the first crawl")
        )
        return
    try:
        with closing(open_warehouse(uri, warehouse_options(settings))) as warehouse:
            rows += [(row.gcp_url, row.size_bytes) for row in islice(warehouse.audio_rows(), LOOKED_AT_AFAR)]
            waiting = count_pending(warehouse)
    except AudioCrawlerError as error:
        yield broken("database", str(error))
        return
    yield ok("database", f"{uri} can be written")
    if waiting:
        yield broken("outbox", f"{waiting} rows are pending", "scrapy flush")


def _of_file(uri: str, path: Path, rows: list[Row]) -> Check:
    """Check the file without changing it: a crawl would migrate its tables."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", BUSY_S, isolation_level=None, uri=True)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
            names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "audio_metadata" not in names:
                return ok("database", f"{uri} has no tables yet")
            rows += database.execute("SELECT gcp_url, size_bytes FROM audio_metadata LIMIT ?", (LOOKED_AT,)).fetchall()
            (files,) = database.execute("SELECT count(*) FROM audio_metadata").fetchone()
    except sqlite3.Error as error:
        return broken("database", f"{uri}: {error}", remedy(error))
    return ok("database", f"{uri} can be written, {files} files; {_users(path)}")


def _users(path: Path) -> str:
    """Return which processes hold the lock of a crawl or takedown, if the system tells."""
    in_use = path.with_name(path.name + ".in-use")
    locks = Path("/proc/locks")
    if not in_use.exists() or not locks.exists():
        return "not in use"
    inode = str(in_use.stat().st_ino)
    fields = (line.split() for line in locks.read_text(encoding="ascii").splitlines())
    holders = sorted({each[4] for each in fields if len(each) > 5 and each[5].rpartition(":")[2] == inode})
    return f"in use by process {', '.join(holders)}" if holders else "not in use"


def _of_objects(store: Store, rows: Iterable[Row], warehouse: str) -> Iterator[Check]:
    """Look for the objects of some rows, both where the rows say and where the store is now."""
    here = moved = lost = 0
    try:
        for url, size_bytes in rows:
            place = place_of(url, size_bytes, store)
            is_there = store.exists(place, size_bytes)
            here += is_there and place == url
            moved += is_there and place != url
            lost += not is_there
    except AudioCrawlerError as error:
        yield broken("objects", str(error))
        return
    if moved:
        found = f"{moved} of {here + moved + lost} rows looked at name the place where the store was before"
        yield broken("objects", found, f"scrapy sync --to-warehouse {warehouse}")
    if lost:
        found = f"of {lost} of {here + moved + lost} rows looked at they are missing or have another size"
        yield broken("objects", found, "scrapy verify")
    if here and not moved and not lost:
        yield ok("objects", f"of {here} rows looked at are where the rows say")
