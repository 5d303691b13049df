"""What the benchmarks of the frontier share: the linked site, a bare spider over it, and runs of it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.link_server import url_of
from tests.crawling import REPOSITORY
from tests.emulators.ports import free_port

SPIDER = """
import scrapy
class Links(scrapy.Spider):
    name = 'links'
    async def start(self):
        yield scrapy.Request(self.url)
    def parse(self, response):
        for href in response.css('a::attr(href)').getall():
            yield response.follow(href, self.parse)
"""
QUICK = {
    "ROBOTSTXT_OBEY": "False",
    "DOWNLOAD_DELAY": "0",
    "AUTOTHROTTLE_ENABLED": "False",
    "AUDIO_ALLOW_ADDRESSES": "127.0.0.0/8",
    "AUDIO_OPT_OUT": "ignore",
    "AUDIO_WORKERS": "1",
    "LOG_LEVEL": "ERROR",
}


@dataclass(frozen=True, slots=True)
class LinkedSite:
    """A running site."""

    port: int
    hosts: int

    @property
    def url(self) -> str:
        """Return its first page."""
        return url_of(0, self.port, self.hosts)

    def times(self) -> list[tuple[float, str]]:
        """Return when each page was asked for, in seconds."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/times") as answer:
            return [(at_s, path) for at_s, path in json.load(answer)]


@contextmanager
def linked_site(pages: int, hosts: int = 1, latency_s: float = 0.0) -> Iterator[LinkedSite]:
    """Serve a site while the block runs."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.link_server", *map(str, (port, pages, hosts, latency_s))]
    server = subprocess.Popen(command, cwd=REPOSITORY)
    try:
        for _ in range(200):
            try:
                LinkedSite(port, hosts).times()
                break
            except OSError:
                time.sleep(0.05)
        yield LinkedSite(port, hosts)
    finally:
        server.kill()
        server.wait()


def start_links(folder: Path, site: LinkedSite, settings: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start the bare spider in a folder."""
    (folder / "links.py").write_text(SPIDER, encoding="utf-8")
    words = [sys.executable, "-m", "scrapy", "runspider", "links.py", "-a", f"url={site.url}"]
    words += [word for name, value in {**QUICK, **settings}.items() for word in ("-s", f"{name}={value}")]
    env = os.environ | {"SCRAPY_SETTINGS_MODULE": "audiocrawler.settings", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(words, cwd=folder, env=env, stdout=subprocess.DEVNULL)
