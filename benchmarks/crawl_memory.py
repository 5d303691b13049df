"""Peak memory of a crawl of large files, beside Scrapy's own FilesPipeline on the same page in the same run.

    python -m benchmarks.crawl_memory [FILES=60] [SIZE_MIB=50]

Files need three times FILES x SIZE_MIB of free disk for a while. Promise: the crawl's own process, and a worker,
stay below 150 MiB each whatever the number and the size of files.
"""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks.file_server import REPOSITORY, serving
from benchmarks.measured import Measured, run_measured

STOCK = """
import scrapy
class Stock(scrapy.Spider):
    name = "stock"
    custom_settings = {"ITEM_PIPELINES": {"scrapy.pipelines.files.FilesPipeline": 1}, "FILES_STORE": "files"}
    def parse(self, response):
        yield {"file_urls": [response.urljoin(u) for u in response.css("a::attr(href)").getall()]}
"""


def main() -> None:
    """Run both crawls and print their figures."""
    count, size_mib = (int(a) for a in (sys.argv[1:] + ["60", "50"][len(sys.argv) - 1 :])[:2])
    with serving(count, size_mib << 20) as served:
        url = served.page_url
        print(f"{count} files of {size_mib} MiB from loopback")
        for name, figures in (("audiocrawler", _ours(url)), ("FilesPipeline", _stock(url))):
            memory = f"own process {figures.own_peak_mib:7.0f} MiB   largest worker {figures.child_peak_mib:5.0f} MiB"
            print(f"{name:14} {memory}   {figures.wall_s:6.1f} s   exit {figures.code}")


def _ours(url: str) -> Measured:
    env = os.environ | {"SCRAPY_SETTINGS_MODULE": "audiocrawler.settings", "PYTHONPATH": str(REPOSITORY)}
    with tempfile.TemporaryDirectory() as folder:
        return run_measured([sys.executable, "-m", "scrapy", "crawl", "audio", "-a", f"url={url}"], Path(folder), env)


def _stock(url: str) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "stock.py").write_text(STOCK.replace('"stock"\n', f'"stock"\n    start_urls = ["{url}"]\n'))
        return run_measured([sys.executable, "-m", "scrapy", "runspider", "stock.py"], Path(folder), dict(os.environ))


if __name__ == "__main__":
    main()
