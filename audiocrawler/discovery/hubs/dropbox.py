"""Files that Dropbox shares by link.

Documented: help.dropbox.com/share/force-download (``dl=1``). A shared folder is downloaded as one zip, for which
``dl=1`` is the link, too; its page does not list the files without scripts.
"""

from collections.abc import Iterator, Mapping

from audiocrawler.discovery.candidate import Find
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import Address, Hub, follow, with_query

NAME = "dropbox"


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the download of a shared file or folder."""
    url = download_of(address)
    return follow(NAME, url) if url and url != address.url else None


def download_of(address: Address) -> str | None:
    """Return the URL from which a share is downloaded, None if the URL is no share."""
    is_share = address.segments[:1] in {("s",), ("sh",), ("scl",)} and len(address.segments) > 2
    if address.host not in {"dropbox.com", "www.dropbox.com"} or not is_share:
        return None
    if "1" in (address.query.get("dl"), address.query.get("raw")):
        return address.url
    return with_query(address.url, dl="1", st=None)


def find(_: Document) -> Iterator[Find] | None:
    """Return None: a download is no document."""
    return None


HUB = Hub(
    name=NAME,
    title="Dropbox files shared by link",
    examples=("https://www.dropbox.com/s/ID/NAME.mp3?dl=0",),
    start=start,
    find=find,
)
