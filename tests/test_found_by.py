"""``found_by`` tells how a URL was found, and nothing depends on it."""

from collections import Counter
from pathlib import Path

from tests.crawling import Run, crawl
from tests.site.answers import Options
from tests.site.server import Site

RENAMING = """
import random
from audiocrawler.discovery import candidate
from audiocrawler.scheduler.scheduler import FrontierScheduler
make = candidate.Find.__init__
NAMES = ["hls", "sitemap", "feed_next", "audio_src", "script", "attribute", "browser_x", "item", "json_ld", "new"]
def renamed(self, *args, found_by, **rest):
    make(self, *args, found_by=random.choice(NAMES), **rest)
candidate.Find.__init__ = renamed
class Renaming(FrontierScheduler):
    pass
"""


def crawled(folder: Path, **settings: str) -> tuple[Counter[str], Run]:
    with Site(Options(slow_s=0.1, radio_s=0.5)) as site:
        run = crawl(folder, f"url={site.url}/", "depth=2", "render=never", settings=settings)
        asked = Counter(request.path for request in site.requests)
    return asked, run


def test_what_is_asked_for_does_not_depend_on_the_names_of_the_mechanisms(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/renaming.py").write_text(RENAMING, encoding="utf-8")
    asked, run = crawled(tmp_path)
    asked_otherwise, other = crawled(tmp_path / "other", SCHEDULER="renaming.Renaming")
    assert set(asked_otherwise) == set(asked)
    assert {row["found_by"] for row in other.sources.values()} != {row["found_by"] for row in run.sources.values()}
    assert len(other.sources) == len(run.sources)
