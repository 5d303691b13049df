"""Check Scrapy's own settings where an invalid value would cause a traceback or a crawl that never ends."""

import codecs
import json
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.util import find_spec
from math import isfinite
from typing import TypeVar

from scrapy.settings import BaseSettings, default_settings
from scrapy.utils.misc import load_object

from audiocrawler.model.declared import shown
from audiocrawler.model.errors import ConfigurationError

TIMES = frozenset({"DNS_TIMEOUT", "DOWNLOAD_DELAY", "DOWNLOAD_TIMEOUT"})
"""Their defaults in Scrapy are ints, but it reads them as floats."""
SWITCHES = frozenset({"TELNETCONSOLE_ENABLED"})
"""The default in Scrapy is 1, but it reads it as a boolean."""
AT_LEAST_ONE = frozenset(
    {"CONCURRENT_ITEMS", "CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN", "REACTOR_THREADPOOL_MAXSIZE"}
)
"""With 0, a crawl would wait forever."""
EARLY_CLASSES = ("SPIDER_LOADER_CLASS", "TWISTED_REACTOR", "ASYNCIO_EVENT_LOOP")
"""Classes loaded before the reactor is installed; others may import it, so they are checked later."""
COMPONENTS = ("ADDONS", "EXTENSIONS", "DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES", "ITEM_PIPELINES")
CLASSES = (
    *("DOWNLOADER", "DUPEFILTER_CLASS", "ITEM_PROCESSOR", "LOG_FORMATTER", "REQUEST_FINGERPRINTER_CLASS", "SCHEDULER"),
    *("ROBOTSTXT_PARSER", "STATS_CLASS", "TWISTED_DNS_RESOLVER"),
)
EXPORT_CLASSES = ("FEED_EXPORTERS", "FEED_STORAGES")
"""Classes by format or scheme, which Scrapy loads only for FEEDS or ``-o``."""

T = TypeVar("T")


def check_dictionaries(settings: BaseSettings, given: Iterable[str]) -> None:
    """Raise ConfigurationError for a NAME=VALUE that must be a JSON object and is not; Scrapy would not name it."""
    for each in given:
        name, _, value = each.partition("=")
        if isinstance(settings[name], BaseSettings) and not isinstance(_read(json.loads, value), dict):
            raise ConfigurationError(f"{name}={shown(value)}: must be a JSON object")


def check_scrapy_values(settings: BaseSettings) -> None:
    """Raise ConfigurationError for a value that Scrapy cannot parse, or a class of EARLY_CLASSES that is missing."""
    for name, default in vars(default_settings).items():
        if not name.isupper() or name.endswith("_BASE") or settings[name] is None:
            continue
        if demand := _demand(settings, name, default):
            raise ConfigurationError(f"{name}={shown(settings[name])}: must be {demand}")
    for name in EARLY_CLASSES:
        _load(name, settings[name])
    for module in settings.getlist("SPIDER_MODULES"):
        if _read(find_spec, module) is None:
            raise ConfigurationError(f"SPIDER_MODULES: {shown(module)}: module not found")


def check_scrapy_parts(settings: BaseSettings) -> None:
    """Raise ConfigurationError for a component that cannot be loaded; needs the reactor, which some import."""
    for name in CLASSES:
        _load(name, settings[name])
    for name in COMPONENTS:
        for part, order in settings.getdict(name).items():
            if order is not None and not isinstance(order, int | float):
                raise ConfigurationError(f"{name}: {part}: {shown(order)} is not a number")
            _load(name, part if order is not None else None)
    for scheme in ("http", "https"):  # Scrapy would log a line and refuse each request
        _load("DOWNLOAD_HANDLERS", settings.getdict("DOWNLOAD_HANDLERS").get(scheme))
    for name in EXPORT_CLASSES if settings.getdict("FEEDS") else ():
        for part in settings.getdict(name).values():
            _load(name, part)
    for part in settings.getlist("RETRY_EXCEPTIONS"):
        _load("RETRY_EXCEPTIONS", part)


def _demand(settings: BaseSettings, name: str, default: object) -> str | None:
    """Return what the value must be, judged by the setting's default and name; None if it is valid."""
    if isinstance(default, bool) or name in SWITCHES:
        return None if _read(settings.getbool, name) is not None else "True or False"
    if isinstance(default, float) or name in TIMES:
        number = _read(settings.getfloat, name)
        return None if number is not None and isfinite(number) and number >= 0 else "a number, 0 or more"
    if isinstance(default, int):
        return _demand_of_whole(_read(settings.getint, name), name)
    return _demand_of_text(settings, name)


def _demand_of_whole(number: int | None, name: str) -> str | None:
    if name in AT_LEAST_ONE:
        return None if number is not None and number >= 1 else "a whole number, 1 or more"
    return None if number is not None else "a whole number"


def _demand_of_text(settings: BaseSettings, name: str) -> str | None:
    value = settings[name]
    if name.endswith("_CODES"):
        codes = _read(lambda name: [int(code) for code in settings.getlist(name)], name)
        return None if codes is not None else "numbers, separated by commas"
    if name.endswith("LOG_LEVEL"):
        levels = logging.getLevelNamesMapping()
        return None if isinstance(value, int) or value in levels else "CRITICAL, ERROR, WARNING, INFO or DEBUG"
    if name.endswith("_ENCODING"):
        return None if _read(codecs.lookup, value) is not None else "an encoding such as utf-8"
    if name == "LOG_FORMAT":
        return None if _read(logging.Formatter, value) is not None else "a format such as %(levelname)s: %(message)s"
    return None


def _read(reader: Callable[[str], T], name: str) -> T | None:
    with suppress(ImportError, LookupError, OverflowError, TypeError, ValueError):
        return reader(name)
    return None


def _load(name: str, part: object) -> None:
    if not isinstance(part, str):
        return
    try:
        load_object(part)
    except Exception as error:  # a user's module may raise anything when imported
        why = shown(error)
        raise ConfigurationError(f"{name}: {shown(part)}: could not be loaded: {why}") from error


NEEDED = (
    *("AUDIO_STORE", "SCHEDULER", "DOWNLOADER", "DOWNLOAD_HANDLERS", "DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES"),
    *("ITEM_PIPELINES", "EXTENSIONS"),
)


def missing_settings(settings: BaseSettings) -> list[str]:
    """Return the required settings that are not set."""
    return [name for name in NEEDED if not settings.getpriority(name)]
