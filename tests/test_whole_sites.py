"""Alternates, renditions, sitemaps and feeds over several pages, as rows and files tell of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crawling import crawl
from tests.site.answers import Options
from tests.site.labels import sha256_of
from tests.site.server import Site
from tests.site.tones import tone_wav
from tests.strange_server import Wire, strange

Pages = dict[str, str | bytes]


@contextmanager
def served(pages: Pages, asked: list[str] | None = None) -> Iterator[str]:
    """Serve these bodies by path; .xml and .txt by their name, .wav as audio, everything else as HTML.

    The paths that are asked for are added to ``asked``.
    """
    types = {".xml": "application/xml", ".txt": "text/plain", ".wav": "audio/wav", ".mp3": "audio/mpeg"}
    types[".m3u8"] = "application/vnd.apple.mpegurl"

    def answer(wire: Wire, path: str) -> None:
        if asked is not None:
            asked.append(path)
        body = pages.get(path)
        data = body.replace("{url}", server.url) if isinstance(body, str) else body or b""
        kind = types.get(Path(path.partition("?")[0]).suffix, "text/html")
        wire.body(data, kind=kind, status="404 Not Found" if body is None else "200 OK")

    with strange(answer) as server:
        yield server.url


def wavs(count: int) -> Pages:
    return {f"/{number}.wav": tone_wav(number) for number in range(count)}


def links(*urls: str) -> str:
    return "<!doctype html><title>t</title>" + "".join(f'<p><a href="{url}">{url}</a></p>' for url in urls)


def test_another_file_of_a_recording_is_taken_if_the_best_one_fails(tmp_path: Path) -> None:
    with Site(Options(missing=("/audio/harbour-bell.flac",))) as site:
        run = crawl(tmp_path, f"url={site.url}/shore.html")
    bells = [row["status"] for url, row in sorted(run.sources.items()) if "harbour-bell" in url]
    assert sorted(bells) == ["alternate", "failed", "stored"]
    assert "found       4 audio URLs" in run.stdout


@pytest.mark.parametrize("playlist", ["master", "vod", "ranges"])
def test_the_parts_of_a_rendition_become_one_file(playlist: str, site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/hls/{playlist}.m3u8")
    assert run.code == 0
    (row,) = run.audio
    (source,) = run.sources.values()
    assert row["sha256"] == source["sha256"] == sha256_of("surf.mp3")
    assert source["found_by"] == "hls"
    assert not site.count("/hls/video.m3u8")


def test_a_rendition_that_lacks_a_part_says_which_and_leaves_no_file(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/hls/broken.m3u8")
    (source,) = run.sources.values()
    assert source["status"] == "failed"
    assert "part 2 of 2: HTTP 404" in source["reason"]
    assert run.objects == []


def test_sitemaps_of_robots_txt_are_followed(tmp_path: Path) -> None:
    pages: Pages = {
        "/robots.txt": "User-agent: *\nSitemap: {url}/map.xml\n",
        "/map.xml": '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "<sitemap><loc>{url}/pages.xml</loc></sitemap></sitemapindex>",
        "/pages.xml": '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "<url><loc>{url}/hidden.html</loc></url></urlset>",
        "/": links("/0.wav"),
        "/hidden.html": links("/1.wav"),
        **wavs(2),
    }
    deep, shallow = tmp_path / "deep", tmp_path / "shallow"
    deep.mkdir()
    shallow.mkdir()
    with served(pages) as url:
        assert len(crawl(deep, f"url={url}/", "depth=1").audio) == 2
        assert len(crawl(shallow, f"url={url}/").audio) == 1


def test_a_sitemap_is_a_start(tmp_path: Path) -> None:
    pages: Pages = {
        "/pages.xml": '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "<url><loc>{url}/0.html</loc></url><url><loc>{url}/1.html</loc></url></urlset>",
        "/0.html": links("/0.wav"),
        "/1.html": links("/1.wav"),
        **wavs(2),
    }
    with served(pages) as url:
        assert len(crawl(tmp_path, f"url={url}/pages.xml", "depth=1").audio) == 2


def test_a_feed_is_read_to_its_last_page(tmp_path: Path) -> None:
    def feed(number: int, after: str) -> str:
        item = (
            f'<item><title>{number}</title><enclosure url="{{url}}/{number}.wav" type="audio/wav" length="1"/></item>'
        )
        return (
            '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>t</title>'
            f"{after}{item}</channel></rss>"
        )

    after = '<atom:link rel="next" href="{url}/feed.xml?page=%d"/>'
    pages: Pages = {
        "/feed.xml": feed(0, after % 2),
        "/feed.xml?page=2": feed(1, after % 3),
        "/feed.xml?page=3": feed(2, after % 1),
        "/feed.xml?page=1": feed(0, after % 2),
        **wavs(3),
    }
    with served(pages) as url:
        assert len(crawl(tmp_path, f"url={url}/feed.xml").audio) == 3


def test_circular_playlists_end(tmp_path: Path) -> None:
    pages: Pages = {
        "/": links("/a.m3u", "/0.wav"),
        "/a.m3u": "#EXTM3U\n{url}/b.m3u\n",
        "/b.m3u": "#EXTM3U\n{url}/a.m3u\n{url}/1.wav\n",
        **wavs(2),
    }
    with served(pages) as url:
        assert len(crawl(tmp_path, f"url={url}/").audio) == 2


def test_addresses_that_are_not_http_are_never_asked_for(tmp_path: Path) -> None:
    odd = (
        "javascript:play('x.mp3')",
        "data:audio/wav;base64,UklGRg==",
        "blob:x.mp3",
        "rtmp://h/x.mp3",
        "ftp://h/x.mp3",
    )
    pages: Pages = {"/": links(*odd, "/{{ file }}.mp3", "/" + "x" * 10_000 + ".mp3", "/0.wav"), **wavs(1)}
    with served(pages) as url:
        run = crawl(tmp_path, f"url={url}/", "depth=1")
    assert run.code == 0
    assert len(run.audio) == 1
    others = {source.partition(":")[0]: row["status"] for source, row in run.sources.items() if url not in source}
    assert others == {"rtmp": "failed", "ftp": "failed", "data": "not_audio"}
    assert "Traceback" not in run.log


def test_a_page_that_is_met_first_on_a_long_way_is_followed_on_the_short_one(tmp_path: Path) -> None:
    chain = {f"/{n}.html": links(f"/{n + 1}.html") for n in range(1, 6)}
    pages: Pages = {
        "/": links("/end.html", "/1.html"),
        **chain,
        "/6.html": links("/end.html"),
        "/end.html": links("/last.html"),
        "/last.html": links("/0.wav"),
        **wavs(1),
    }
    with served(pages) as url:
        assert len(crawl(tmp_path, f"url={url}/", "depth=7", settings={"CONCURRENT_REQUESTS": "1"}).audio) == 1
