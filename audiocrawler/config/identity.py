"""Decide whether two commands are the same crawl, by their normalised arguments, store and warehouse."""

import hashlib
import json
import re
from typing import Any

from scrapy.settings import BaseSettings

from audiocrawler.config.arguments import Arguments
from audiocrawler.model.settings import AudioSettings
from audiocrawler.model.urls import without_credentials

_NOT_OF_THE_CRAWL = {"url", "urls", "crawl", "fresh"}


def identity_of(spider_name: str, arguments: Arguments | None, settings: BaseSettings) -> str:
    """Return 16 hex digits that identify the crawl.

    The order of the start URLs, whether they come from a file, arguments at their defaults and passwords make no
    difference; ``-a crawl=NAME`` replaces all arguments. A spider without arguments is identified by its name.
    """
    ours = AudioSettings.of(settings)
    places = [ours.store, ours.warehouse]
    if arguments is not None and arguments.crawl:
        return _digest([spider_name, places, "crawl", arguments.crawl])
    return _digest([spider_name, places, _normalised(arguments) if arguments is not None else {}])


def _normalised(arguments: Arguments) -> dict[str, Any]:
    given = {
        name: _plain(getattr(arguments, name))
        for name, field in Arguments.model_fields.items()
        if name not in _NOT_OF_THE_CRAWL and getattr(arguments, name) != field.default
    }
    return given | {"starts": sorted({without_credentials(url) for url in arguments.start_urls()})}


def _plain(value: Any) -> Any:
    return value.pattern if isinstance(value, re.Pattern) else value


def _digest(parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
