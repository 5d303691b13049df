"""Answers of hubs, and what discovery finds in them."""

import json
from typing import Any

from scrapy.http import HtmlResponse, TextResponse

from audiocrawler.discovery import Candidate, choose, find_in, read
from audiocrawler.discovery.candidate import Relation
from audiocrawler.discovery.hubs import start_of


def in_json(url: str, value: Any, *, collection: dict[str, str] | None = None, **headers: str) -> list[Candidate]:
    """Return the candidates of a JSON answer, whose files share ``collection``."""
    return _found(
        TextResponse(url, body=json.dumps(value).encode(), headers={"Content-Type": "application/json", **headers}),
        collection,
    )


def in_xml(url: str, text: str) -> list[Candidate]:
    """Return the candidates of an XML answer."""
    body = f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode()
    return _found(TextResponse(url, body=body, headers={"Content-Type": "application/xml"}), None)


def in_page(url: str, text: str) -> list[Candidate]:
    """Return the candidates of a page."""
    return _found(HtmlResponse(url, body=text.encode(), headers={"Content-Type": "text/html; charset=utf-8"}), None)


def _found(response: TextResponse, collection: dict[str, str] | None) -> list[Candidate]:
    document = read(response)
    document.collection = collection or {}
    return list(find_in(document))


def taken(candidates: list[Candidate]) -> list[str]:
    """Return the URLs of the audio that is chosen."""
    return [each.url for each, is_best in choose(candidates) if is_best and each.kind == "audio"]


def followed(candidates: list[Candidate]) -> list[str]:
    """Return the URLs of folders and further documents."""
    return [each.url for each in candidates if each.relation in {Relation.FOLDER, Relation.COLLECTION}]


def next_pages(candidates: list[Candidate]) -> list[str]:
    """Return the URLs of further pages."""
    return [each.url for each in candidates if each.relation is Relation.NEXT_PAGE]


def asked_for(url: str, **environment: str) -> str | None:
    """Return what is requested instead of a start."""
    found = start_of(url, environment)
    return found.url if found is not None else None


def licences(candidate: Candidate) -> list[str | None]:
    """Return the text or URL of each statement about the licence."""
    return [each.url or each.text for each in candidate.statements or ()]
