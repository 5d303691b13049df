"""Read what a feed says of an item: its number, text, page, image, chapters, transcripts and people.

iTunes, the podcast namespace, Media RSS, Dublin Core and Podlove's simple chapters share local names.
"""

from collections.abc import Iterator

from lxml import etree

from audiocrawler.discovery.candidate import Description, Texts
from audiocrawler.discovery.document import Children, attribute, children_of, one_line, text_of
from audiocrawler.discovery.values import ordinal, plain_text

_BODIES = ("description", "summary", "encoded", "content", "abstract", "subtitle")
_PAGE_RELATIONS = frozenset(("", "alternate"))
_DEFAULT_ROLE, _DEFAULT_GROUP = "host", "cast"
_MAX_PEOPLE = 50


def add_item(about: Description, children: Children) -> None:
    """Add what the children of an item say of it alone; its guid may be the address of its page."""
    about.season, about.episode = _number(children, "season"), _number(children, "episode")
    texts = (plain_text(text_of(each)) for name in _BODIES for each in children.get(name, ()))
    about.description = next(filter(None, texts), None)
    about.episode_url = page_of(children)
    about.chapters_url = next((url for each in children.get("chapters", ()) if (url := attribute(each, "url"))), None)
    about.transcripts = list(_transcripts(children)) or None
    about.transcript_url = about.transcripts[0]["url"] if about.transcripts else None
    add_shared(about, children)


def add_shared(about: Description, children: Children) -> None:
    """Add what a feed may state for all its items: image and people."""
    about.image_url = _image(children)
    about.people = people_in(children)


def page_of(children: Children) -> str | None:
    """Return the page of an item: its link, else the guid that is one (RSS 2.0, isPermaLink)."""
    links = (url for url, _ in page_links(children) if url)
    return next(links, None) or next(permalinks(children), None)


def page_links(children: Children) -> Iterator[tuple[str, str | None]]:
    """Yield an item's links to its page, which may be empty, with their declared types."""
    for name in ("origlink", "link"):
        for link in children.get(name, ()):
            if (attribute(link, "rel") or "").lower() in _PAGE_RELATIONS:
                yield attribute(link, "href") or text_of(link).strip(), attribute(link, "type")


def permalinks(children: Children) -> Iterator[str]:
    """Yield the guids that are the address of the item's page (RSS 2.0, isPermaLink)."""
    for guid in children.get("guid", ()):
        url = text_of(guid).strip()
        if (attribute(guid, "ispermalink") or "").lower() != "false" and url.startswith(("http://", "https://")):
            yield url


def host_of(people: Texts | None) -> str | None:
    """Return the first host; a guest is nobody to credit."""
    return next((each["name"] for each in people or () if each.get("role") == _DEFAULT_ROLE), None)


def people_in(children: Children) -> Texts | None:
    """Return the persons (podcast namespace, ``person``) and contributors (Dublin Core, Atom) with their roles."""
    found = [_person(each) for each in children.get("person", ())[:_MAX_PEOPLE]]
    for each in children.get("contributor", ())[:_MAX_PEOPLE]:
        inner = children_of(each).get("name", [each])
        found.append({"name": one_line(text_of(inner[0])) or "", "role": "contributor"})
    return [each for each in found if each["name"]] or None


def _person(element: etree._Element) -> dict[str, str]:
    named = {"url": attribute(element, "href"), "image": attribute(element, "img")}
    return {
        "name": one_line(text_of(element)) or "",
        "role": (attribute(element, "role") or _DEFAULT_ROLE).lower(),
        "group": (attribute(element, "group") or _DEFAULT_GROUP).lower(),
        **{name: value for name, value in named.items() if value},
    }


def _number(children: Children, name: str) -> int | None:
    numbers = (ordinal(one_line(text_of(each))) for each in children.get(name, ()))
    return next((number for number in numbers if number is not None), None)


def _image(children: Children) -> str | None:
    for name in ("image", "thumbnail"):
        for each in children.get(name, ()):
            url = attribute(each, "href", "url", "resource") or next(map(text_of, children_of(each).get("url", ())), "")
            if url := url.strip() or (each.text or "").strip():
                return url
    return None


def _transcripts(children: Children) -> Iterator[dict[str, str]]:
    """Yield ``podcast:transcript``, ``media:subTitle`` (Media RSS 1.5.1) and Atom links with this relation."""
    links = [each for each in children.get("link", ()) if (attribute(each, "rel") or "").lower() == "transcript"]
    for each in (*children.get("transcript", ()), *children.get("subtitle", ()), *links):
        if url := attribute(each, "url", "href"):
            stated = {
                "type": attribute(each, "type"),
                "language": attribute(each, "language", "lang", "hreflang"),
                "rel": attribute(each, "rel"),
            }
            yield {"url": url, **{name: value for name, value in stated.items() if value and value != "transcript"}}
