"""A crawl reaches what feeds and lists of feeds point to, and what comes after the end of a page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crawling import REPOSITORY, crawl
from tests.shelf import Answer, Shelf

CREEK = (REPOSITORY / "tests/site/audio/creek.wav").read_bytes()
XML, HTML = {"Content-Type": "text/xml"}, {"Content-Type": "text/html"}


def tone(number: int) -> Answer:
    return CREEK + bytes(2 * number), {"Content-Type": "audio/wav"}


def feed(item: str) -> Answer:
    return f'<rss version="2.0"><channel><title>Show</title>{item}</channel></rss>'.encode(), XML


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with Shelf({}) as served:
        local = served.url.replace("127.0.0.1", "localhost")
        served.answers |= {f"/{number}.wav": tone(number) for number in range(1, 7)}
        served.answers |= {
            "/list.opml": (
                b'<opml><body><outline type="rss" xmlUrl="/one"/><outline type="include" url="/more"/></body></opml>',
                XML,
            ),
            "/more": (f'<opml><body><outline xmlUrl="{local}/two"/></body></opml>'.encode(), XML),
            "/one": feed('<item><enclosure url="/1.wav" type="audio/wav"/></item>'),
            "/two": feed(f"<new-feed-url>{local}/moved</new-feed-url>"),
            "/moved": feed('<item><enclosure url="/2.wav" type="audio/wav"/></item>'),
            "/pages": feed(f"<item><link>{local}/episode</link></item><item><link>/4.wav</link></item>"),
            "/episode": (b"<html><body>Player</body></html><audio src='/3.wav'></audio>", HTML),
            "/frames": (b"<html><head/></html><a href='/below'>more</a>", HTML),
            "/below": ("<html><a href='/5.wav'>five</a>".encode("utf-16-le"), HTML),
        }
        yield served


def test_a_start_that_lists_feeds_stores_their_audio_without_depth(shelf: Shelf, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={shelf.url}/list.opml", "render=never")
    assert sorted(url[-5:] for url in run.sources) == ["1.wav", "2.wav"]
    assert len(run.objects) == 2, run.log


def test_pages_of_items_links_after_the_end_and_wide_pages_are_followed(shelf: Shelf, tmp_path: Path) -> None:
    host = shelf.url.removeprefix("http://")
    run = crawl(tmp_path, f"url=feed://{host}/pages {shelf.url}/frames", "depth=1", "render=never")
    assert sorted(url[-5:] for url in run.sources) == ["3.wav", "4.wav", "5.wav"]
    assert len(run.objects) == 3, run.log
