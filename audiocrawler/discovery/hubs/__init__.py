"""Services that list files by an API: which starts are theirs, what their answers hold, which tokens they take.

hub: the shape that all share; every other module is one service, registered here.
"""

import os
from collections.abc import Iterator, Mapping

from audiocrawler.discovery.candidate import ATTRIBUTE, Find, Kind, fill
from audiocrawler.discovery.document import Document, DocumentType, one_line, text_of
from audiocrawler.discovery.hubs import (
    archive_org,
    azure,
    dataverse,
    dropbox,
    figshare,
    freesound,
    gcs,
    github,
    gitlab,
    google_drive,
    huggingface,
    librivox,
    mediawiki,
    onedrive,
    osf,
    s3,
    webdav,
    xeno_canto,
    zenodo,
)
from audiocrawler.discovery.hubs.hub import Address, Hub, shared_in
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of
from audiocrawler.discovery.urls import absolute

HUBS: tuple[Hub, ...] = (
    huggingface.HUB,
    zenodo.HUB,
    figshare.HUB,
    osf.HUB,
    dataverse.HUB,
    github.HUB,
    gitlab.HUB,
    archive_org.HUB,
    mediawiki.HUB,
    freesound.HUB,
    xeno_canto.HUB,
    librivox.HUB,
    s3.HUB,
    gcs.HUB,
    azure.HUB,
    webdav.HUB,
    google_drive.HUB,
    dropbox.HUB,
    onedrive.HUB,
)
"""The hubs; the first one that knows a start or an answer has it."""
SCHEMES = frozenset(scheme for hub in HUBS for scheme in hub.schemes)
"""Schemes of starts, beside http and https, that a hub turns into URLs to request."""
_MAX_LABEL = 200


def start_of(url: str, environment: Mapping[str, str] = os.environ) -> Find | None:
    """Return what to request instead of a start URL; None if no hub knows it, or if it is requested as it is."""
    try:
        address = Address.of(url)
    except ValueError:
        return None
    found = (hub.start(address, environment) for hub in HUBS if hub.start is not None)
    return next((each for each in found if each is not None and each.url != url), None)


def answer_of(document: Document) -> Iterator[Find] | None:
    """Return what a hub's answer holds, None for a document that is no answer of a hub."""
    if document.type not in {DocumentType.JSON, DocumentType.XML, DocumentType.HTML}:
        return None
    found = (hub.find(document) for hub in HUBS)
    answer = next((each for each in found if each is not None), None)
    return _completed(answer, document) if answer is not None else None


def _completed(finds: Iterator[Find], document: Document) -> Iterator[Find]:
    """Yield the finds, the files with what the collection around them shares."""
    common = shared_in(document.collection)
    for each in finds:
        if each.relation is None:
            fill(each, common)
        yield each


def find_hubs(document: Document) -> Iterator[Find]:
    """Yield the answer to ask for instead of a page, and the files of shares that it links to.

    It is not given answers: discovery asks ``answer_of`` before any finder.
    """
    if document.type is DocumentType.HTML:
        if (own := start_of(document.url)) is not None:
            yield own
        for hub in HUBS:
            yield from hub.page(document) if hub.page is not None else ()
        yield from _shares(document)


_SHARES = (google_drive.download_of, dropbox.download_of, onedrive.download_of, webdav.download_of)


def _shares(document: Document) -> Iterator[Find]:
    """Yield the downloads of shared files that a page links to under the name of an audio file."""
    for element in document.elements("a", "iframe"):
        link = element.get("href") or element.get("src") or ""
        if not any(each in link for each in _MARKS) or (href := absolute(document.base_url, link)) is None:
            continue
        label = one_line(text_of(element) or element.get("title"), _MAX_LABEL)
        if (_is_audio(label or "") or _is_audio(href)) and (url := download_of(href)):
            yield Find(url=url, found_by="share", confidence=ATTRIBUTE, expected=Kind.AUDIO, link_text=label)


_MARKS = ("google.com", "dropbox.com", "1drv.ms", "sharepoint.com", "/s/")
"""What the URL of a share contains: a cheap check before a costly one."""


def _is_audio(name: str) -> bool:
    return extension_of(name if "://" in name else f"/{name}") in AUDIO_EXTENSIONS


def behind(url: str, *, is_audio: bool) -> str:
    """Return the download of a share whose page a document names as audio; any other URL as it is."""
    if not any(each in url for each in _SHARE_PAGES) or not (is_audio or _is_audio(url)):
        return url
    return download_of(url) or url


_SHARE_PAGES = ("drive.google.com/file/", "drive.google.com/open?", "dropbox.com/s", "1drv.ms/", "sharepoint.com/:")


def download_of(url: str) -> str | None:
    """Return the URL from which a shared file is downloaded, None if the URL is not that of a share."""
    try:
        address = Address.of(url)
    except ValueError:
        return None
    return next((found for each in _SHARES if (found := each(address))), None)


def token_headers(url: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the header with the environment's token for the URL's host, by https only; empty if there is none."""
    if not url.startswith("https://"):
        return {}
    try:
        address = Address.of(url)
    except ValueError:
        return {}
    for hub in HUBS:
        token = hub.token
        if token and address.host in token.hosts and (value := environment.get(token.variable, "").strip()):
            return {token.header: token.form.format(value)}
    return {}
