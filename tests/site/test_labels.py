"""The labels are true: each page names what they say, and the site serves those bytes."""

import gzip
import re
from html import unescape
from urllib.parse import unquote

from tests.site.fetch import Fetched, digest, fetch, follow
from tests.site.labels import LABELS, SECOND_HOST, Label
from tests.site.server import Site


def url_of(site: Site, label: Label) -> str:
    return (site.second_url if label.second else site.url) + label.path


def fetch_patiently(url: str) -> bytes:
    """Return the whole file as a good client gets it: after a 503, over a resumed transfer, out of gzip."""
    fetched = follow(url)
    if fetched.status == 503:
        fetched = follow(url)
    body = fetched.body
    if not fetched.is_complete:
        body += fetch(url, Range=f"bytes={len(body)}-").body
    return gzip.decompress(body) if fetched.headers["Content-Encoding"] == "gzip" else body


def test_every_digest_is_that_of_what_the_site_serves(site: Site):
    for label in (*LABELS, *SECOND_HOST):
        if label.sha256:
            assert digest(fetch_patiently(url_of(site, label))) == label.sha256, label


def test_exactly_two_labels_share_their_bytes():
    digests = [label.sha256 for label in LABELS if label.sha256]
    assert len(digests) - len(set(digests)) == 1


def text_of(fetched: Fetched) -> str:
    return unescape(fetched.body.decode("windows-1252" if b"windows-1252" in fetched.body else "utf-8"))


def spellings(site: Site, label: Label) -> list[str]:
    """Return in which ways a document may name the URL: in full, without scheme or host, relative."""
    url = unquote(url_of(site, label))
    path = unquote(label.path)
    relative = [] if label.second else [path, path.lstrip("/"), path.removeprefix("/audio/")]
    return [url, url.removeprefix("http:"), *relative]


def test_every_label_is_named_by_its_page(site: Site):
    for label in LABELS:
        text = text_of(fetch(site.url + label.page))
        assert any(spelling in text for spelling in spellings(site, label)), label


def test_every_page_is_within_two_links_of_the_first(site: Site):
    reached = level = {"/"}
    for _ in range(2):
        texts = [text_of(fetch(site.url + path)) for path in level]
        level = {link for text in texts for link in re.findall(r' href="(/[^"]*)"', text) if is_page(link)} - reached
        reached = reached | level
    framed = {"/player/audio.html"}
    assert {label.page for label in LABELS} <= reached | framed
    assert len(reached) >= 20


def is_page(link: str) -> bool:
    return link.endswith(("/", ".html", ".rss", ".atom", ".m3u", ".pls"))


def test_a_player_is_framed_by_its_page(site: Site):
    assert '<iframe src="/player/audio.html"' in text_of(fetch(f"{site.url}/embedded.html"))
