"""From a response to the audio in it: every finder runs on the one parsed document, and each URL is classified once.

candidate -> what is given; document, sniff -> what is read; finders/ -> one mechanism each, listed in registry;
classify, streams, media_types, urls, roles -> what a URL is; group -> one candidate per URL, alternates together;
choose -> which of the alternates to take.
"""

from collections.abc import Iterator, Mapping

from scrapy.http import Response

from audiocrawler.discovery.candidate import Candidate, Kind, Role
from audiocrawler.discovery.choose import choose
from audiocrawler.discovery.document import Document, read
from audiocrawler.discovery.group import merge
from audiocrawler.discovery.registry import DEFAULT_FINDERS, load_finders

__all__ = ["DEFAULT_FINDERS", "Candidate", "Document", "Kind", "Role", "choose", "find", "find_in", "read"]


def find(response: Response, finders: Mapping[str, int | None] = DEFAULT_FINDERS) -> Iterator[Candidate]:
    """Yield one Candidate per URL of the response, in the order in which the finders met them.

    ``finders`` maps dotted paths to their order, as the setting AUDIO_FINDERS does. No input makes it raise.
    """
    return find_in(read(response), finders)


def find_in(document: Document, finders: Mapping[str, int | None] = DEFAULT_FINDERS) -> Iterator[Candidate]:
    """Yield the Candidates of a document that is already read."""
    finds = (each for finder in load_finders(finders) for each in finder(document))
    yield from merge(document, finds)
