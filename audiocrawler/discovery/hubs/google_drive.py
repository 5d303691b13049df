"""Files and folders that Google Drive shares with everybody with the link.

Not documented by Google, but long in use by gdown and yt-dlp: ``drive.usercontent.google.com/download`` serves a file,
for large ones after a page whose form has to be sent ("can't scan this file for viruses"); ``embeddedfolderview`` lists
a folder without a key. Documented: developers.google.com/drive/api (what a key would list, which is not used).
"""

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from audiocrawler.discovery.candidate import ELEMENT, Description, Find, Kind
from audiocrawler.discovery.document import Document, DocumentType, one_line, text_of
from audiocrawler.discovery.hubs.hub import Address, Hub, file_at, follow, with_query
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of
from audiocrawler.discovery.urls import absolute

NAME = "google_drive"
_HOSTS = ("drive.google.com", "docs.google.com", "drive.usercontent.google.com")
_ID = re.compile(r"[\w-]{10,}")
_FORM = "download-form"


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the download of a file, or the list of a folder."""
    if folder := _folder(address):
        return follow(NAME, _list(address, folder))
    url = download_of(address)
    return follow(NAME, url) if url else None


def download_of(address: Address) -> str | None:
    """Return the URL from which a shared file is downloaded, None if the URL is not that of a file."""
    file = _file(address)
    if file is None:
        return None
    key = address.query.get("resourcekey")
    return with_query(f"{address.on(_HOSTS[2])}/download", id=file, export="download", confirm="t", resourcekey=key)


def _file(address: Address) -> str | None:
    segments = tuple(each for each in address.segments if each not in {"a", "u"} and not each.isdigit())
    found = None
    if address.host in _HOSTS and segments[:2] == ("file", "d") and len(segments) > 2:
        found = segments[2]
    elif address.host in _HOSTS and segments in {("open",), ("uc",), ("download",)}:
        found = address.query.get("id")
    return found if found and _ID.fullmatch(found) else None


def _folder(address: Address) -> str | None:
    found = None
    if address.host == _HOSTS[0] and "folders" in address.segments[:-1]:
        found = address.segments[address.segments.index("folders") + 1]
    elif address.host == _HOSTS[0] and address.segments in {("folderview",), ("embeddedfolderview",)}:
        found = address.query.get("id")
    return found if found and _ID.fullmatch(found) else None


def _list(address: Address, folder: str) -> str:
    return f"{address.on(_HOSTS[0])}/embeddedfolderview?id={folder}"


def find(document: Document) -> Iterator[Find] | None:
    """Return the entries of a folder, or the file behind the page that could not scan it."""
    if document.type is not DocumentType.HTML or not Address.of(document.url).is_at(*_HOSTS):
        return None
    if url := form_url(document):
        return iter((_behind(document, url),))
    return _entries(document) if "/embeddedfolderview" in document.url else None


def form_url(document: Document) -> str | None:
    """Return the URL to which the form of a page that could not scan a file leads; None without such a form."""
    if _FORM not in document.text or not Address.of(document.url).is_at(*_HOSTS):
        return None
    form = next((each for each in document.elements("form") if each.get("id") == _FORM), None)
    return _sent(document, form) if form is not None else None


def _sent(document: Document, form: etree._Element) -> str | None:
    action = absolute(document.base_url, form.get("action") or document.url)
    inputs = {str(name): each.get("value") or "" for each in form.iter("input") if (name := each.get("name"))}
    return with_query(action, **inputs) if action else None


def _behind(document: Document, url: str) -> Find:
    names = (one_line(text_of(each)) for each in document.elements("a"))
    title = next((each for each in names if each and _is_audio(each)), None)
    return Find(url=url, found_by=NAME, confidence=ELEMENT, expected=Kind.AUDIO, title=title)


def _entries(document: Document) -> Iterator[Find]:
    for link in document.elements("a"):
        address = Address.of(absolute(document.url, link.get("href") or "") or document.url)
        name = _name(link)
        if folder := _folder(address) if "folders" in address.segments else None:
            yield follow(NAME, _list(address, folder), document.collection)
        elif name and (url := download_of(address)):
            yield from file_at(NAME, url, name, Description(title=name if _is_audio(name) else None))


def _name(link: etree._Element) -> str | None:
    titles = (each for each in link.iter("div") if "flip-entry-title" in (each.get("class") or ""))
    return one_line(next(map(text_of, titles), None) or text_of(link))


def _is_audio(name: str) -> bool:
    return extension_of(f"/{name}") in AUDIO_EXTENSIONS


HUB = Hub(
    name=NAME,
    title="Google Drive files and folders shared by link",
    examples=("https://drive.google.com/file/d/ID/view", "https://drive.google.com/drive/folders/ID"),
    start=start,
    find=find,
)
