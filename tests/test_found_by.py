"""``found_by`` tells how a URL was found, and nothing depends on it."""

from pathlib import Path

from tests.crawling import crawl
from tests.site.tones import tone_wav
from tests.test_whole_sites import Pages, served

RENAMING = """
import random
from audiocrawler.discovery import candidate
from audiocrawler.scheduler.scheduler import FrontierScheduler
make = candidate.Find.__init__
NAMES = ["hls", "sitemap", "feed_next", "audio_src", "script", "attribute", "browser_x", "item", "json_ld", "new"]
def renamed(self, *args, found_by, **rest):
    others = [name for name in NAMES if name != found_by]
    make(self, *args, found_by=random.choice(others), **rest)
candidate.Find.__init__ = renamed
class Renaming(FrontierScheduler):
    pass
"""
PROSE = "<p>" + "Words that readers see, and enough of them. " * 20 + "</p>"
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{}.ts\n#EXT-X-ENDLIST\n"
STARTS: Pages = {
    "/sitemap.xml": "<sitemapindex><sitemap><loc>{url}/below.xml</loc></sitemap></sitemapindex>",
    "/feed.xml": '<feed xmlns="http://www.w3.org/2005/Atom"><link rel="next" href="/feed-2.xml"/></feed>',
    "/player.html": f"{PROSE}<audio src=/sound.m3u8></audio>",
    "/link.html": f"{PROSE}<a href=/film.m3u8>x</a>",
    "/script.html": f'{PROSE}<script>start();</script><div class="player" data-src="/tone.wav">Loading</div>',
}
OTHERS: Pages = {
    "/below.xml": "<urlset></urlset>",
    "/feed-2.xml": '<feed xmlns="http://www.w3.org/2005/Atom"></feed>',
    "/sound.m3u8": PLAYLIST.format("sound"),
    "/film.m3u8": PLAYLIST.format("film"),
    "/tone.wav": tone_wav(1),
    "/sound.ts": b"\x47",
    "/film.ts": b"\x47",
}


def test_what_a_crawl_asks_for_does_not_depend_on_the_names_of_its_finders(tmp_path: Path) -> None:
    (tmp_path / "renaming.py").write_text(RENAMING, encoding="utf-8")
    asked: list[str] = []
    with served({**STARTS, **OTHERS}, asked) as url:
        (tmp_path / "starts").write_text("\n".join(url + path for path in STARTS), encoding="utf-8")
        settings = {"SCHEDULER": "renaming.Renaming", "AUDIO_CHROMIUM": "/bin/false"}  # which is not to be asked for
        run = crawl(tmp_path, f"urls={tmp_path / 'starts'}", settings=settings)
    own = {"/robots.txt", "/.well-known/tdmrep.json"}
    assert set(asked) - own == {*STARTS, *OTHERS} - {"/below.xml", "/film.ts"}
    assert [row["source_url"] for row in run.sources.values() if row["kind"] == "page"] == []
