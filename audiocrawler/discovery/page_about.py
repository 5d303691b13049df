"""Complete what is known of a page's only recording from its head: Dublin Core and Open Graph."""

from collections.abc import Sequence

from audiocrawler.discovery.candidate import Candidate, Description, Kind, Role, fill
from audiocrawler.discovery.document import Document, DocumentType, one_line
from audiocrawler.discovery.urls import absolute
from audiocrawler.discovery.values import plain_text, published_at

_HINTS = ('"dc', "'dc", '"DC', "'DC", "og:")
_SPACES = ("dc", "dcterms")
_ABOUT_SOUND = ("music.", "audio", "podcast")
"""Types of Open Graph whose text is about the recording, not about an article beside it."""


def add_page_description(document: Document, candidates: Sequence[Candidate]) -> None:
    """Fill the gaps of the page's only recording from its Dublin Core, and from Open Graph if that is about audio."""
    if document.type is not DocumentType.HTML or not any(hint in document.text for hint in _HINTS):
        return
    files = [each for each in candidates if each.kind in (Kind.AUDIO, Kind.STREAM) and each.role is Role.MAIN]
    if not files or len({each.group or each.url for each in files}) > 1:
        return
    head = _head(document)
    about = _description(document, head)
    for each in files:
        fill(each, about)


def _head(document: Document) -> dict[str, str]:
    head: dict[str, str] = {}
    for element in document.elements("meta"):
        name = (element.get("name") or element.get("property") or "").lower().replace(":", ".")
        if name.startswith(("dc.", "dcterms.", "og.")) and (content := element.get("content")):
            head.setdefault(name, content)
    return head


def _description(document: Document, head: dict[str, str]) -> Description:
    def first(*names: str) -> str | None:
        return next((head[f"{space}.{name}"] for name in names for space in _SPACES if f"{space}.{name}" in head), None)

    about = Description(
        title=one_line(first("title")),
        artist=one_line(first("creator")),
        language=one_line(first("language")),
        description=plain_text(first("description", "abstract")),
        published_at=published_at(first("date", "issued", "created", "date.issued", "date.created")),
        show_title=one_line(first("ispartof", "relation.ispartof")),
    )
    if head.get("og.type", "").startswith(_ABOUT_SOUND) or "og.audio" in head:
        about.description = about.description or plain_text(head.get("og.description"))
        about.image_url = absolute(document.base_url, head.get("og.image", ""))
    return about
