"""A crawl's shared object without a crawl: real store, warehouse and frontier in a folder, and no request is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scrapy.settings import Settings
from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from audiocrawler import settings as defaults
from audiocrawler.crawl.crawl import Crawl
from audiocrawler.frontier import Start


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


@contextmanager
def crawl_in(folder: Path, **changed: Any) -> Iterator[Crawl]:
    """Open a Crawl whose workers are not started; whoever closes it does so."""
    settings = settings_in(folder, **changed)
    yield Crawl(settings, MemoryStatsCollector(get_crawler()), Start(identity="test", crawl_id="c-1"))
