"""Find the audio in a response: run every finder on the parsed document, and classify each URL once.

candidate: the result; reading, document: the input; finders/: one function per mechanism, registered here; kinds, urls,
roles: classification of URLs; merge: one candidate per URL, alternates grouped; choose: the best alternate.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from itertools import chain

from scrapy.http import Response

from audiocrawler.discovery.candidate import Candidate, Find, Kind, Role
from audiocrawler.discovery.choose import choose
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs import answer_of
from audiocrawler.discovery.merge import merge
from audiocrawler.discovery.reading import read

__all__ = ["DEFAULT_FINDERS", "Candidate", "Document", "Kind", "Role", "choose", "find", "find_in", "read"]

Finder = Callable[[Document], Iterator[Find]]

_FINDERS = "audiocrawler.discovery.finders"
HUBS = "audiocrawler.discovery.hubs.find_hubs"
"""The finder of hubs: an answer of a hub is read by it alone, since the others would mistake its members."""

DEFAULT_FINDERS: dict[str, int] = {
    HUBS: 50,
    f"{_FINDERS}.markup.find_elements": 100,
    f"{_FINDERS}.markup.find_links": 200,
    f"{_FINDERS}.structured.find_jsonld": 300,
    f"{_FINDERS}.structured.find_microdata": 350,
    f"{_FINDERS}.head.find_opengraph": 400,
    f"{_FINDERS}.head.find_embeds": 500,
    f"{_FINDERS}.frames.find_srcdoc": 550,
    f"{_FINDERS}.frames.find_frames": 560,
    f"{_FINDERS}.feeds.find_feeds": 600,
    f"{_FINDERS}.feeds.find_feed_pages": 650,
    f"{_FINDERS}.feed_links.find_item_links": 660,
    f"{_FINDERS}.feed_links.find_other_feeds": 670,
    f"{_FINDERS}.feed_links.find_opml": 680,
    f"{_FINDERS}.feed_bodies.find_feed_bodies": 700,
    f"{_FINDERS}.playlists.find_playlists": 800,
    f"{_FINDERS}.playlists.find_hls": 900,
    f"{_FINDERS}.playlists.find_xml_playlists": 1000,
    f"{_FINDERS}.playlists.find_dash": 1100,
    f"{_FINDERS}.playlists.find_sitemaps": 1150,
    f"{_FINDERS}.sitemaps.find_text_sitemaps": 1160,
    f"{_FINDERS}.sitemaps.find_sitemap_links": 1170,
    f"{_FINDERS}.playlists.find_xml_strings": 1200,
    f"{_FINDERS}.structured.find_json_documents": 1300,
    f"{_FINDERS}.next_pages.find_json_next_pages": 1305,
    f"{_FINDERS}.structured.find_json_markup": 1308,
    f"{_FINDERS}.feed_links.find_json_links": 1309,
    f"{_FINDERS}.structured.find_jspf": 1310,
    f"{_FINDERS}.manifests.find_iiif": 1312,
    f"{_FINDERS}.listings.find_json_listings": 1314,
    f"{_FINDERS}.listings.find_index_data": 1315,
    f"{_FINDERS}.listings.find_xml_listings": 1316,
    f"{_FINDERS}.listings.find_buckets": 1317,
    f"{_FINDERS}.tables.find_tables": 1318,
    f"{_FINDERS}.tables.find_lists": 1319,
    f"{_FINDERS}.sites.find_bandcamp": 1330,
    f"{_FINDERS}.attributes.find_attributes": 1400,
    f"{_FINDERS}.structured.find_scripts": 1500,
    f"{_FINDERS}.markup.find_texts": 1600,
    f"{_FINDERS}.next_pages.find_next_pages": 1700,
    f"{_FINDERS}.left_out.find_videos": 1800,
    f"{_FINDERS}.left_out.find_archives": 1810,
    f"{_FINDERS}.left_out.find_other_schemes": 1820,
    f"{_FINDERS}.left_out.find_data_urls": 1830,
}
"""Dotted path of each finder -> its order: of two with equal confidence in a URL, the lower one counts."""


def load_finders(paths: Mapping[str, int | None]) -> list[Finder]:
    """Return the finders in ascending order; one whose order is None is disabled.

    Raises ImportError or AttributeError, naming the path, if a finder does not exist.
    """
    enabled = [(order, path) for path, order in paths.items() if order is not None]
    return [_load(path) for _, path in sorted(enabled)]


@cache
def _load(path: str) -> Finder:
    module, _, name = path.rpartition(".")
    finder: Finder = getattr(import_module(module), name)
    return finder


def find(response: Response, finders: Mapping[str, int | None] = DEFAULT_FINDERS) -> Iterator[Candidate]:
    """Yield one Candidate per URL in the response, in the order in which they were found.

    ``finders`` maps dotted paths to their order, like the setting AUDIO_FINDERS. Never raises, whatever the response.
    """
    return find_in(read(response), finders)


def find_in(document: Document, finders: Mapping[str, int | None] = DEFAULT_FINDERS) -> Iterator[Candidate]:
    """Yield the Candidates in a parsed document."""
    loaded = load_finders(finders)
    yield from merge(document, _finds_in(document, loaded, asks_hubs=finders.get(HUBS) is not None))


def _finds_in(document: Document, finders: list[Finder], *, asks_hubs: bool) -> Iterator[Find]:
    for number, part in enumerate(chain((document,), document.following)):
        part.collection = document.collection
        answer = answer_of(part) if asks_hubs else None
        for each in answer if answer is not None else (each for finder in finders for each in finder(part)):
            if number and each.group is not None:
                each.group = f"{number} {each.group}"
            yield each
        document.cuts |= part.cuts
