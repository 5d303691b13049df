import gzip
import tracemalloc

import pytest
from scrapy.http import Response

from audiocrawler.discovery import Candidate, Kind, find
from tests.discovery.pages import in_text, urls

XML = "application/xml"
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
URLSET = (
    f'<?xml version="1.0"?><urlset xmlns="{NAMESPACE}" xmlns:image="i" xmlns:video="v"><url>'
    "<loc> https://site.example/1.html </loc><image:image><image:loc>https://site.example/1.jpg</image:loc></image:image>"
    "</url><url><loc>https://site.example/a.mp3</loc></url><url><loc>https://site.example/paper.pdf</loc></url><url>"
    "<loc>https://site.example/2</loc><video:video><video:content_loc>https://cdn.example/b.ogg</video:content_loc>"
    "</video:video></url></urlset>"
)


def test_a_sitemap_lists_pages_and_audio():
    found = in_text(URLSET, XML)
    assert urls(found, Kind.PAGE) == ["https://site.example/1.html", "https://site.example/2"]
    assert urls(found) == ["https://site.example/a.mp3", "https://cdn.example/b.ogg"]
    assert found[0].found_by == "sitemap"


def test_an_index_lists_sitemaps_packed_or_not():
    found = in_text(
        f'<sitemapindex xmlns="{NAMESPACE}"><sitemap><loc>https://site.example/1.xml</loc></sitemap>'
        "<sitemap><loc>https://site.example/2.xml.gz</loc></sitemap></sitemapindex>",
        XML,
    )
    assert urls(found, Kind.PLAYLIST) == ["https://site.example/1.xml", "https://site.example/2.xml.gz"]


def packed(body: bytes) -> list[Candidate]:
    headers = {"Content-Type": "application/x-gzip"}
    return list(find(Response("https://site.example/sitemap.xml.gz", body=body, headers=headers)))


def test_a_packed_sitemap_is_read():
    assert packed(gzip.compress(URLSET.encode())) == in_text(URLSET, XML, "https://site.example/sitemap.xml.gz")


@pytest.mark.parametrize("body", [b"\x1f\x8b\x08", b"\x1f\x8b\x08" + b"x" * 99])
def test_a_broken_package_is_empty(body):
    assert packed(body) == []


def test_a_package_that_was_cut_is_read_as_far_as_it_goes():
    rows = "".join(f"<url><loc>https://site.example/{number}</loc></url>" for number in range(5000))
    body = gzip.compress(f"<urlset>{rows}</urlset>".encode())
    assert 1000 < len(packed(body[: len(body) // 2])) < 5000


def test_a_bomb_is_unpacked_no_further_than_a_page_may_be_long():
    bomb = gzip.compress(URLSET.encode()[:-9] + b" " * 200_000_000 + b"<url><loc>https://site.example/end</loc></url>")
    tracemalloc.start()
    found = packed(bomb)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [each.url for each in found] == [each.url for each in in_text(URLSET, XML)]
    assert peak_bytes < 150_000_000
