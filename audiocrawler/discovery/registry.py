"""The finders that run on a document, in their order."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module

from audiocrawler.discovery.candidate import Find
from audiocrawler.discovery.document import Document

Finder = Callable[[Document], Iterator[Find]]

_FINDERS = "audiocrawler.discovery.finders"

DEFAULT_FINDERS: dict[str, int] = {
    f"{_FINDERS}.elements.find": 100,
    f"{_FINDERS}.links.find": 200,
    f"{_FINDERS}.jsonld.find": 300,
    f"{_FINDERS}.microdata.find": 350,
    f"{_FINDERS}.opengraph.find": 400,
    f"{_FINDERS}.embeds.find": 500,
    f"{_FINDERS}.feeds.find": 600,
    f"{_FINDERS}.feed_pages.find": 650,
    f"{_FINDERS}.feed_bodies.find": 700,
    f"{_FINDERS}.playlists.find": 800,
    f"{_FINDERS}.hls.find": 900,
    f"{_FINDERS}.xml_playlists.find": 1000,
    f"{_FINDERS}.dash.find": 1100,
    f"{_FINDERS}.sitemaps.find": 1150,
    f"{_FINDERS}.xml_strings.find": 1200,
    f"{_FINDERS}.json_documents.find": 1300,
    f"{_FINDERS}.jspf.find": 1310,
    f"{_FINDERS}.archive_org.find": 1320,
    f"{_FINDERS}.bandcamp.find": 1330,
    f"{_FINDERS}.attributes.find": 1400,
    f"{_FINDERS}.scripts.find": 1500,
    f"{_FINDERS}.texts.find": 1600,
}
"""Dotted path of each finder and its place: of two that are equally sure of a URL, the lower one names it."""


def load_finders(paths: Mapping[str, int | None]) -> list[Finder]:
    """Return the finders in ascending order; one whose order is None is switched off.

    Raises ImportError or AttributeError, naming the path, where there is no such finder.
    """
    enabled = [(order, path) for path, order in paths.items() if order is not None]
    return [_load(path) for _, path in sorted(enabled)]


@cache
def _load(path: str) -> Finder:
    module, _, name = path.rpartition(".")
    finder: Finder = getattr(import_module(module), name)
    return finder
