"""Run the checks that apply to the settings."""

from collections.abc import Iterator
from pathlib import Path

from scrapy.settings import BaseSettings

from audiocrawler.browser.handler import chromium_of
from audiocrawler.config.scrapy_settings import check_scrapy_values
from audiocrawler.config.settings import check_settings
from audiocrawler.crawl.places import store_path, warehouse_path
from audiocrawler.doctor.check import Check, broken, missing, ok
from audiocrawler.doctor.machine import no_chromium, of_chromium, of_decoder, of_disks, of_worker
from audiocrawler.doctor.network import of_network
from audiocrawler.doctor.packages import of_packages
from audiocrawler.doctor.places import of_places
from audiocrawler.doctor.redis_server import of_redis
from audiocrawler.fetch.connect import proxies_of
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.settings import AudioSettings
from audiocrawler.model.uris import local_path, scheme_of
from audiocrawler.scrapy_private import SCRAPY, check_private_names


def examine(settings: BaseSettings) -> Iterator[Check]:
    """Yield the checks; if the settings are invalid, those that depend on them are skipped."""
    yield from of_packages()
    yield of_decoder()
    yield of_worker()
    try:
        check_private_names(SCRAPY)
        check_scrapy_values(settings)
        ours = check_settings(settings)
        folders = list(_folders(settings, ours))
    except ConfigurationError as error:
        yield broken("settings", str(error))
        return
    yield ok("settings", "valid")
    yield _of_contact(ours)
    yield from of_disks(folders, ours.min_free_bytes)
    yield from of_places(settings)
    if scheme_of(ours.frontier) in {"redis", "rediss"}:
        yield from of_redis(ours.frontier)
    yield _of_browser(settings, ours)
    yield from of_network(proxies_of(settings), settings["USER_AGENT"])


def _of_contact(ours: AudioSettings) -> Check:
    if ours.contact:
        return ok("contact", ours.contact)
    return missing("contact", "sites cannot reach you", "export AUDIO_CONTACT=https://your.site/or-address@your.site")


def _folders(settings: BaseSettings, ours: AudioSettings) -> Iterator[tuple[str, Path]]:
    """Yield (setting, folder) for each folder that a crawl writes to; raises ConfigurationError."""
    if (folder := store_path(settings)) is not None:
        yield "AUDIO_STORE", folder
    if (file := warehouse_path(settings)) is not None:
        yield "AUDIO_WAREHOUSE", file.parent
    else:
        yield "AUDIO_OUTBOX", ours.outbox
    if scheme_of(ours.frontier) == "sqlite":
        yield "AUDIO_FRONTIER", local_path(ours.frontier).parent
    yield "AUDIO_INCOMING", ours.incoming
    yield "AUDIO_MANIFEST_DIR", ours.manifest_dir
    if ours.log_dir is not None:
        yield "AUDIO_LOG_DIR", ours.log_dir


def _of_browser(settings: BaseSettings, ours: AudioSettings) -> Check:
    try:
        return of_chromium(chromium_of(settings))
    except ConfigurationError as error:
        return no_chromium(str(error), is_named=ours.chromium is not None)
