"""Reading XML trees by local names, since feeds and playlists often lack or misspell their namespaces."""

from collections.abc import Iterator
from functools import lru_cache

from lxml import etree

from audiocrawler.discovery.document import one_line, text_of

Children = dict[str, list[etree._Element]]  # noqa: SLF001 -- lxml offers no other name for the type
"""The children of an element by local name."""


def local_name(element: etree._Element) -> str:
    """Return the element's name in lower case without its namespace, declared or not."""
    return _without_namespace(element.tag)


@lru_cache(maxsize=1024)
def _without_namespace(name: object) -> str:
    return name.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(name, str) else ""


def each_named(root: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the elements below ``root``, itself included, with one of these lower-case local names."""
    for element in root.iter(etree.Element):
        if local_name(element) in names:
            yield element


def attribute(element: etree._Element, *names: str) -> str | None:
    """Return the first of these attributes that is not empty, whatever its namespace and case."""
    values = {_without_namespace(key): str(value) for key, value in element.items()}
    return next((values[name].strip() for name in names if values.get(name, "").strip()), None)


def child_text(element: etree._Element, *names: str) -> str | None:
    """Return the text of the first child with one of these names, in the order of the names, on one line."""
    return first_text(children_of(element), *names)


def children_of(element: etree._Element) -> Children:
    """Return the children of an element by local name."""
    children: Children = {}
    for child in element.iterchildren(etree.Element):
        children.setdefault(local_name(child), []).append(child)
    return children


def first_text(children: Children, *names: str) -> str | None:
    """Return the first text that is not empty, in the order of the names, on one line."""
    texts = (one_line(text_of(child)) for name in names for child in children.get(name, ()))
    return next(filter(None, texts), None)


def base_of(element: etree._Element, fallback: str) -> str:
    """Return the base URL of an element by the xml:base attributes around it."""
    try:
        base = element.base
    except ValueError:
        return fallback
    return base if base and base.startswith(("http://", "https://")) else fallback
