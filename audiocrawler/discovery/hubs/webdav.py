"""Folders of WebDAV servers, and public shares of Nextcloud and ownCloud, which are such folders.

Documented: RFC 4918, sections 9.1 and 13; docs.nextcloud.com developer_manual/client_apis/WebDAV/basic "Public shares"
(``/public.php/dav/files/TOKEN`` since Nextcloud 29; a password goes with the user ``anonymous``); doc.owncloud.com
webdav_api/public_files (``/remote.php/dav/public-files/TOKEN``). Not documented: how a share's page tells which of both
it is, for which its own words are taken.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urljoin, urlsplit

from lxml import etree

from audiocrawler.discovery.candidate import Description, Find
from audiocrawler.discovery.document import Document, child_text, each_named, text_of
from audiocrawler.discovery.hubs.hub import Address, Hub, file_at, follow, xml_root
from audiocrawler.discovery.values import published_at, size_bytes

NAME = "webdav"
_SCHEMES = {"dav": "http", "webdav": "http", "davs": "https", "webdavs": "https"}
_SHARE = re.compile(r"(?P<place>https?://[^/?#]+(?:/[^/?#]+)*?)(?:/index\.php)?/s/(?P<token>[\w-]{5,64})/?(?:[?#]|$)")
_TOKEN = re.compile(r"[A-Za-z0-9]{15}")
"""Of a share, as Nextcloud and ownCloud make them."""
_MAKER = re.compile(r"nextcloud|owncloud", re.IGNORECASE)


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the folder of ``dav://`` and ``davs://``."""
    scheme = _SCHEMES.get(address.scheme)
    if scheme is None:
        return None
    url = f"{scheme}{address.url[len(address.scheme) :]}"
    return follow(NAME, url, is_dav=True)


def download_of(address: Address) -> str | None:
    """Return the URL from which a shared file is downloaded, None if the URL is not like that of a share."""
    is_share = address.segments[-2:-1] == ("s",) and _TOKEN.fullmatch(address.segments[-1])
    return f"{address.url.partition('?')[0].rstrip('/')}/download" if is_share else None


def find(document: Document) -> Iterator[Find] | None:
    """Return the members of a folder."""
    root = xml_root(document, "multistatus")
    return _members(document, root) if root is not None else None


def page(document: Document) -> Iterator[Find]:
    """Yield the folder of a share's page."""
    match = _SHARE.match(document.url)
    makers = {each.lower() for each in _MAKER.findall(document.text)} if match else set()
    if match and makers:
        below = "public.php/dav/files" if "nextcloud" in makers else "remote.php/dav/public-files"
        yield follow(NAME, f"{match['place']}/{below}/{match['token']}/", is_dav=True)


def _members(document: Document, root: etree._Element) -> Iterator[Find]:
    own = unquote(urlsplit(document.url).path).rstrip("/")
    for response in each_named(root, "response"):
        url = urljoin(document.url, child_text(response, "href") or "")
        path = unquote(urlsplit(url).path)
        is_folder = next(each_named(response, "collection"), None) is not None
        if is_folder and path.rstrip("/") != own:
            yield follow(NAME, f"{url.rstrip('/')}/", document.collection, is_dav=True)
        elif not is_folder:
            name = path.rstrip("/").rpartition("/")[2]
            shown = name if "." in name else _property(response, "displayname") or name
            yield from file_at(NAME, url.rstrip("/"), shown, _about(response))


def _about(response: etree._Element) -> Description:
    created = _property(response, "creationdate") or _property(response, "getlastmodified")
    return Description(
        mime_type=_property(response, "getcontenttype"),
        size_bytes=size_bytes(_property(response, "getcontentlength")),
        published_at=published_at(created),
    )


def _property(response: etree._Element, name: str) -> str | None:
    return next((text_of(each).strip() for each in each_named(response, name)), None)


HUB = Hub(
    name=NAME,
    title="WebDAV folders; public shares of Nextcloud and ownCloud",
    examples=("davs://files.example.org/FOLDER/", "https://cloud.example.org/s/TOKEN"),
    start=start,
    find=find,
    page=page,
    schemes=tuple(_SCHEMES),
)
