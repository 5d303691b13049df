"""What is Scrapy's stays Scrapy's: its commands, other spiders and scripts work as its documentation says."""

import json
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.crawling import REPOSITORY, Run, crawl, run_apart
from tests.site.server import Site

PAGE, FILE = "/shore.html", "/audio/surf.mp3"
MINE = """
import scrapy
class Mine(scrapy.Spider):
    name = "mine"
    arguments, limit = {{"of": "its own"}}, "none"
    start_urls = [{url!r}]
    def parse(self, response):
        yield {{"title": response.css("title::text").get()}}
"""
BARE = """
from scrapy.crawler import {process} as Process
from audiocrawler.spiders.audio import AudioSpider
process = Process({{"LOG_LEVEL": "WARNING"}})
process.crawl(AudioSpider, url={url!r})
process.start()
"""
RUNNER = """
import asyncio
from scrapy.utils.reactor import install_reactor
install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.settings import Settings
from twisted.internet.defer import Deferred
from twisted.internet.task import react
settings = Settings()
settings.setmodule("audiocrawler.settings")
async def main():
    await AsyncCrawlerRunner(settings).crawl("audio", url="https://example.org/podcast")
react(lambda _: Deferred.fromFuture(asyncio.ensure_future(main())))
"""


def readme_example() -> str:
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "AsyncCrawlerProcess" in block]
    return str(example)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def run_script(code: str, folder: Path) -> Run:
    return run_apart(folder, sys.executable, "-c", code)


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (["fetch", "--nolog", PAGE], "<audio"),
        (["fetch", "--nolog", "--headers", "--spider=audio", PAGE], "< Content-Type: text/html"),
        (["shell", FILE, "-c", "len(response.body)"], str((REPOSITORY / f"tests/site{FILE}").stat().st_size)),
        (["shell", "--spider=retry", PAGE, "-c", "spider.name, response.status"], "('retry', 200)"),
        (["view", PAGE], ".html"),
        (["parse", "--nocolour", "--spider=audio", PAGE], f"{FILE}>"),
        (["parse", "--nocolour", "--spider=audio", "-d", "2", "--pipelines", PAGE], "'file_name': 'surf.mp3'"),
        (["check"], ""),
        (["list"], "audio\nretry\nverify\n"),
        (["settings", "--get", "AUDIO_STORE"], "file:data/objects"),
        (["version"], "Scrapy 2."),
        (["bench", "-s", "CLOSESPIDER_PAGECOUNT=1", "-s", "CLOSESPIDER_TIMEOUT=5"], ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_that_looks_leaves_nothing_behind(
    command: list[str], printed: str, site: Site, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    words = tuple(f"{site.url}{word}" if word.startswith("/") else word for word in command)
    temporary = tmp_path_factory.mktemp("temporary")
    env = {"BROWSER": "echo %s", "TMPDIR": str(temporary)}
    run = crawl(tmp_path, command=words, settings={"AUDIO_ALLOW_ADDRESSES": ""}, env=env)
    assert run.code == 0, run.stderr
    assert printed in run.stdout
    assert "Traceback" not in run.stderr.partition("Task exception was never retrieved")[0]
    assert files_in(tmp_path) == []
    assert [name for name in files_in(temporary) if name.startswith("audiocrawler-")] == []
    if command[0] == "bench":
        assert "'downloader/response_status_count/200'" in run.stderr


def test_another_spider_of_the_project_is_scrapys_own_business(site: Site, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE.format(url=f"{site.url}{PAGE}"), encoding="utf-8")
    run = crawl(
        tmp_path,
        command=("crawl", "mine", "-O", "out.json"),
        settings={"SPIDER_MODULES": "mine", "AUDIO_ALLOW_ADDRESSES": ""},
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.code == 0, run.stderr
    (item,) = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert item["title"]
    assert files_in(tmp_path) == ["mine.py", "out.json"]


@pytest.mark.parametrize("how", ["AsyncCrawlerProcess", "CrawlerProcess", "AsyncCrawlerRunner"])
def test_a_script_crawls_as_the_command_does(how: str, site: Site, tmp_path: Path) -> None:
    example = RUNNER if how == "AsyncCrawlerRunner" else readme_example().replace("AsyncCrawlerProcess", how)
    script = example.replace("https://example.org/podcast", f"{site.url}{PAGE}")
    assert site.url in script
    run = run_script(script, tmp_path)
    assert run.code == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert {urlsplit(url).path for url, row in run.sources.items() if row["status"] == "stored"} >= {FILE}
    assert len(run.objects) == len(run.audio)
    (record,) = (tmp_path / "data/crawls").iterdir()
    assert json.loads(record.read_text(encoding="utf-8"))["exit_code"] == 0
    assert [row["exit_code"] for row in run.query("SELECT exit_code FROM audio_crawls")] == [0]


@pytest.mark.parametrize("process", ["AsyncCrawlerProcess", "CrawlerProcess"])
def test_a_script_without_the_settings_is_told_which_it_needs(process: str, site: Site, tmp_path: Path) -> None:
    run = run_script(BARE.format(process=process, url=f"{site.url}/"), tmp_path)
    (line,) = run.stderr.splitlines()
    assert "AudioSpider needs audiocrawler's settings" in line
    assert "SCHEDULER" in line
    assert 'settings.setmodule("audiocrawler.settings")' in line
    assert site.requests == []
    assert files_in(tmp_path) == []
