"""Reading XML trees by local names, since feeds and playlists often lack or misspell their namespaces."""

from collections.abc import Iterator

from lxml import etree

from audiocrawler.discovery.document import one_line, text_of


def local_name(element: etree._Element) -> str:
    """Return the element's name in lower case without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def each_named(root: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the elements below ``root``, itself included, with one of these lower-case local names."""
    for element in root.iter(etree.Element):
        if local_name(element) in names:
            yield element


def attribute(element: etree._Element, *names: str) -> str | None:
    """Return the first of these attributes that is not empty, whatever its namespace and case."""
    values = {str(key).rpartition("}")[2].lower(): str(value) for key, value in element.items()}
    return next((values[name].strip() for name in names if values.get(name, "").strip()), None)


def child_text(element: etree._Element, *names: str) -> str | None:
    """Return the text of the first child with one of these names, in the order of the names, on one line."""
    texts: dict[str, str] = {}
    for child in element.iterchildren(etree.Element):
        name = local_name(child)
        if name in names and name not in texts and (text := one_line(text_of(child))):
            texts[name] = text
    return next((texts[name] for name in names if name in texts), None)


def base_of(element: etree._Element, fallback: str) -> str:
    """Return the base URL of an element by the xml:base attributes around it."""
    try:
        base = element.base
    except ValueError:
        return fallback
    return base if base and base.startswith(("http://", "https://")) else fallback
