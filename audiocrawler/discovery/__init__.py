"""Find the audio in a response: run every finder on the parsed document, and classify each URL once.

candidate: the result; document: the input; finders/: one function per mechanism, registered here; kinds, urls, roles:
classification of URLs; merge: one candidate per URL, alternates grouped; choose: the best alternate.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module

from scrapy.http import Response

from audiocrawler.discovery.candidate import Candidate, Find, Kind, Role
from audiocrawler.discovery.choose import choose
from audiocrawler.discovery.document import Document, read
from audiocrawler.discovery.merge import merge

__all__ = ["DEFAULT_FINDERS", "Candidate", "Document", "Kind", "Role", "choose", "find", "find_in", "read"]

Finder = Callable[[Document], Iterator[Find]]

_FINDERS = "audiocrawler.discovery.finders"

DEFAULT_FINDERS: dict[str, int] = {
    f"{_FINDERS}.markup.find_elements": 100,
    f"{_FINDERS}.markup.find_links": 200,
    f"{_FINDERS}.structured.find_jsonld": 300,
    f"{_FINDERS}.structured.find_microdata": 350,
    f"{_FINDERS}.head.find_opengraph": 400,
    f"{_FINDERS}.head.find_embeds": 500,
    f"{_FINDERS}.feeds.find_feeds": 600,
    f"{_FINDERS}.feeds.find_feed_pages": 650,
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
    f"{_FINDERS}.structured.find_jspf": 1310,
    f"{_FINDERS}.sites.find_archive_org": 1320,
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
    finds = (each for finder in load_finders(finders) for each in finder(document))
    yield from merge(document, finds)
