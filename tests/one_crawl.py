"""A crawl's parts without a crawl: real store, warehouse and frontier in a folder, and no request is made."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import HtmlResponse, Response
from scrapy.settings import Settings
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from audiocrawler import settings as defaults
from audiocrawler.config.scrapy_settings import NEEDED
from audiocrawler.crawl.crawl import Crawl
from audiocrawler.frontier import Start
from audiocrawler.spiders.audio import AudioSpider

URL = "https://example.org/"


def settings_in(folder: Path, **changed: Any) -> Settings:
    """Return the settings of a crawl that keeps everything in the folder."""
    values = {name: value for name, value in vars(defaults).items() if name.isupper()}
    data = {
        "AUDIO_STORE": f"file:{folder}/objects",
        "AUDIO_WAREHOUSE": f"sqlite:{folder}/audio.db",
        "AUDIO_FRONTIER": "memory",
        "AUDIO_INCOMING": str(folder / "incoming"),
        "AUDIO_WORKERS": 1,
    }
    return Settings(values | data | changed)


def crawl_in(folder: Path, **changed: Any) -> Crawl:
    """Return a Crawl whose workers are not started."""
    settings = settings_in(folder, **changed)
    return Crawl(settings, MemoryStatsCollector(get_crawler()), Start(identity="test", crawl_id="c-1"))


def spider_in(folder: Path, kind: type[AudioSpider] = AudioSpider, **arguments: str) -> AudioSpider:
    """Return a spider over such a Crawl, with the arguments of ``-a``."""
    own = {name: value for name, value in settings_in(folder).items() if name.startswith("AUDIO_") or name in NEEDED}
    crawler: Crawler = get_crawler(kind, own | {"EXTENSIONS": {}})
    spider = kind.from_crawler(crawler, **({"url": URL} if kind is AudioSpider else {}), **arguments)
    spider.crawl = crawl_in(folder)
    return spider


def page(body: str, url: str = URL, meta: dict[str, Any] | None = None) -> Response:
    """Return the answer to a request for a page."""
    request = Request(url, meta={"site": "example.org", "level": 0, "nesting": 0} | (meta or {}))
    return HtmlResponse(url, body=body.encode(), request=request, headers={"Content-Type": "text/html"})


def yielded(answers: AsyncIterator[Any]) -> list[Any]:
    """Return all that a callback yields."""

    async def collected() -> list[Any]:
        return [each async for each in answers]

    return asyncio.run(collected())
